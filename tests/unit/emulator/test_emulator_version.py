"""The guard of ministack's version."""

from __future__ import annotations

from importlib import metadata

import pytest

from local.emulator.common.environment import REQUIRED_VERSION, require_supported_version
from local.emulator.common.errors import CannotStartError, ExitCode


@pytest.mark.parametrize("installed", [None, "1.5.32", "1.5.330", "2.0.0"])
def test_any_other_version_is_refused(installed: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what was found and how to install the right one."""

    def version(name: str) -> str:
        if installed is None:
            raise metadata.PackageNotFoundError(name)
        return installed

    monkeypatch.setattr(metadata, "version", version)
    with pytest.raises(CannotStartError, match=rf"ministack=={REQUIRED_VERSION}") as refused:
        require_supported_version()
    assert f"found {f'ministack {installed}' if installed else 'no ministack'}." in str(refused.value)
    assert refused.value.exit_code == ExitCode.UNSUPPORTED_EMULATOR == 5


def test_the_installed_version_is_the_one_written_for() -> None:
    """The environment these tests run in has the right ministack, and no CannotStartError is raised."""
    assert metadata.version("ministack") == REQUIRED_VERSION
    require_supported_version()
