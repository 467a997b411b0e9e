"""The guard: this package fits one version of ministack only."""

from __future__ import annotations

from importlib import metadata

from local.emulator.common.errors import UnsupportedEmulator

REQUIRED_VERSION = "1.5.33"
"""The release whose internals the modules beside this one were written against."""


def installed_version() -> str | None:
    """Version of the installed ministack, or None."""
    try:
        return metadata.version("ministack")
    except metadata.PackageNotFoundError:
        return None


def require_supported_version(installed: str | None) -> None:
    """Raise UnsupportedEmulator unless `installed` is the version this package was written for."""
    if installed != REQUIRED_VERSION:
        raise UnsupportedEmulator(installed, REQUIRED_VERSION)
