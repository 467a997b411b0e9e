"""Collecting when the destination does not take the files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ingest
from ingest.collect import collect
from ingest.errors import DataUnavailableError

LIMITED = """
import resource, sys
from ingest.__main__ import main
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
sys.exit(main(["--source", sys.argv[1], "--destination", sys.argv[2], "--quiet"]))
"""


def test_full_disk_leaves_nothing(bundled, tmp_path):
    """A write that the system refuses for want of space ends in one clear line and an empty folder."""
    destination = tmp_path / "data"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(bundled), str(destination)],
        cwd=Path(ingest.__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: no space left to write")
    assert "Traceback" not in done.stderr
    assert list(destination.iterdir()) == []


def test_full_disk_has_an_error_of_its_own(bundled, tmp_path):
    """ENOSPC from the file system becomes an error of its own words: here from the one device that is always full."""
    full = tmp_path / "data"
    full.mkdir()

    def fill_up(progress: object) -> None:
        with Path("/dev/full").open("wb", buffering=0) as device:
            device.write(b"x")

    with pytest.raises(DataUnavailableError, match=f"no space left to write {full}/"):
        collect(str(bundled), full, progress=fill_up)
    assert list(full.iterdir()) == []


def test_destination_below_a_file_is_unwritable(bundled, tmp_path):
    """A destination that cannot be a folder is named."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(DataUnavailableError, match=f"{tmp_path}/taken/data cannot be written"):
        collect(str(bundled), tmp_path / "taken" / "data")
