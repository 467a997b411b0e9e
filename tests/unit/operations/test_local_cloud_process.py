"""Starting the local cloud's process."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_project import free_port
from operations import paths
from operations.errors import OperationError
from operations.local_cloud import process


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for the local cloud, whose interpreter does nothing but fail."""
    usual = paths.LOCAL
    for name in ("LOCAL", "CLOUD_STATE", "CREDENTIALS", "IMAGES", "LOGS", "STATUS", "SERVER_PID", "SERVER_LOG"):
        monkeypatch.setattr(paths, name, tmp_path / getattr(paths, name).relative_to(usual))
    interpreter = tmp_path / "python"
    interpreter.write_text("#!/bin/sh\necho error: the state folder is in use >&2\nexit 4\n")
    interpreter.chmod(0o755)
    monkeypatch.setattr(paths, "CLOUD_PYTHON", interpreter)
    return tmp_path


def test_a_start_that_fails_shows_what_it_wrote_itself(place: Path) -> None:
    """An old traceback in the log is not shown as the reason; it is kept beside the new log."""
    paths.LOGS.mkdir()
    paths.SERVER_LOG.write_text("Traceback (most recent call last):\nRuntimeError: long ago\n")
    with pytest.raises(OperationError) as failed:
        process.start(free_port())
    assert str(failed.value).splitlines() == [
        "The local cloud ended at once (exit code 4):",
        "error: the state folder is in use",
    ]
    assert "long ago" in paths.SERVER_LOG.with_suffix(".log.1").read_text()


def test_logs_of_starts_do_not_pile_up(place: Path) -> None:
    """However often it is started, there are two: of this start, and of the one before."""
    for _ in range(3):
        with pytest.raises(OperationError):
            process.start(free_port())
    assert sorted(path.name for path in paths.LOGS.iterdir()) == ["server.log", "server.log.1"]
