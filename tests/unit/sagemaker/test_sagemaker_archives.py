"""Archives: unsafe ones are refused, and equal content gives equal bytes."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from local.sagemaker.state import archives


def write(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, 1 if kind == tarfile.REGTYPE else 0
    return info


@pytest.mark.parametrize(
    "unsafe",
    [
        member("../outside"),
        member("/absolute"),
        member("link", tarfile.SYMTYPE, "../../outside"),
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("hard", tarfile.LNKTYPE, "../outside"),
        member("device", tarfile.CHRTYPE),
    ],
    ids=lambda info: f"{info.name}-{info.linkname or 'plain'}",
)
def test_unsafe_members_are_refused(tmp_path: Path, unsafe: tarfile.TarInfo) -> None:
    """A member that would land, point or be something outside the folder is refused."""
    target = tmp_path / "in" / "here"
    with pytest.raises(archives.ArchiveError, match=r"unsafe member in a\.tar\.gz"):
        archives.extract(write(tmp_path / "a.tar.gz", unsafe), target)
    assert not (tmp_path / "in" / "outside").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00broken"])
def test_damaged_archives_are_refused(tmp_path: Path, content: bytes) -> None:
    """What is not a tar.gz is an ArchiveError that names the file."""
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(archives.ArchiveError, match=r"a\.tar\.gz"):
        archives.extract(tmp_path / "a.tar.gz", tmp_path / "out")


def test_same_content_same_bytes(tmp_path: Path) -> None:
    """The archive does not depend on order of creation, times or owner."""
    for folder, names, moment in (("one", "ab", 1_000_000), ("two", "ba", 2_000_000)):
        for name in names:
            path = tmp_path / folder / "deep" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
            os.utime(path, (moment, moment))
        archives.pack(tmp_path / folder, tmp_path / f"{folder}.tar.gz")
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()


def test_round_trip(tmp_path: Path) -> None:
    """A packed folder can be extracted again: links become files, and executables stay executable."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "run.sh").write_text("#!")
    (source / "run.sh").chmod(0o700)
    (source / "link").symlink_to(source / "run.sh")
    archives.pack(source, tmp_path / "a.tar.gz")
    archives.extract(tmp_path / "a.tar.gz", tmp_path / "out")
    assert (tmp_path / "out" / "link").read_text() == "#!"
    assert not (tmp_path / "out" / "link").is_symlink()
    assert os.access(tmp_path / "out" / "run.sh", os.X_OK)


def test_holds_files(tmp_path: Path) -> None:
    """Empty folders do not count as files."""
    (tmp_path / "empty").mkdir()
    assert not archives.holds_files(tmp_path)
    (tmp_path / "empty" / "f").touch()
    assert archives.holds_files(tmp_path)
