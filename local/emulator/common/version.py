"""The guard: this package works with one version of ministack only."""

from importlib import metadata

from local.emulator.common.errors import CannotStartError, ExitCode

REQUIRED_VERSION = "1.5.33"  # the release that the patches of this package were written for


def installed_version() -> str | None:
    """Return the version of the installed ministack, or None."""
    try:
        return metadata.version("ministack")
    except metadata.PackageNotFoundError:
        return None


def require_supported_version(installed: str | None) -> None:
    """Raise CannotStartError unless `installed` is the version that this package was written for."""
    if installed != REQUIRED_VERSION:
        found = f"ministack {installed}" if installed else "no ministack"
        raise CannotStartError(
            ExitCode.UNSUPPORTED_EMULATOR,
            f"The local cloud needs ministack {REQUIRED_VERSION} exactly (it changes its internals) but found {found}. "
            f"Install it with: python -m pip install ministack=={REQUIRED_VERSION}",
        )
