"""Collecting when the destination does not take the files."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

import ingest
from ingest.collect import collect
from ingest.errors import DataUnavailableError

LIMITED = """
import resource, sys
from ingest.collect import collect
from ingest.errors import DataUnavailableError
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    collect(sys.argv[1], sys.argv[2])
except DataUnavailableError as error:
    sys.exit(f"error: {error}")
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


def test_full_disk_has_an_error_of_its_own(fake_s3, tmp_path):
    """ENOSPC from the file system becomes an error of its own words: here from the one device that is always full."""
    full = tmp_path / "data"
    full.mkdir()

    class FillsTheDisk(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            with Path("/dev/full").open("wb", buffering=0) as device:
                device.write(b"x")
            return super().read(size)

    fake_s3.objects["bucket", "tickets.csv"] = b"text"
    fake_s3.get_object = lambda **_: {"Body": FillsTheDisk(b"text"), "ContentLength": 4}
    with pytest.raises(DataUnavailableError, match=f"no space left to write {full}/"):
        collect("s3://bucket/tickets.csv", full, s3_client=fake_s3)
    assert list(full.iterdir()) == []


def test_destination_below_a_file_is_unwritable(bundled, tmp_path):
    """A destination that cannot be a folder is named."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(DataUnavailableError, match=f"{tmp_path}/taken/data cannot be written"):
        collect(str(bundled), tmp_path / "taken" / "data")
