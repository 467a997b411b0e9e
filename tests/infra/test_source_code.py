"""Packing source: the same content gives the same bytes."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from stacks.common.source_code import stage_folder, write_tarball
from stacks.errors import MissingAssetError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "package").mkdir(parents=True)
    (folder / "train.py").write_text("print('train')\n")
    (folder / "package" / "module.py").write_text("x = 1\n")
    return folder


def test_other_times_and_modes_give_the_same_tarball(source: Path, tmp_path: Path) -> None:
    """A fresh clone, another user or another day does not change the tarball."""
    first = write_tarball(source, tmp_path / "first.tar.gz")
    for path in source.rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o755)
    second = write_tarball(source, tmp_path / "second.tar.gz")
    assert first == second
    assert (tmp_path / "first.tar.gz").read_bytes() == (tmp_path / "second.tar.gz").read_bytes()


def test_byte_code_and_tests_stay_out(source: Path, tmp_path: Path) -> None:
    """What running or testing the code leaves behind neither travels nor changes the hash."""
    clean = write_tarball(source, tmp_path / "clean.tar.gz")
    for name in ("__pycache__/train.cpython-311.pyc", "tests/test_train.py", "package/old.pyc"):
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text("left behind")
    assert write_tarball(source, tmp_path / "used.tar.gz") == clean


@pytest.mark.parametrize("change", ["content", "name"])
def test_other_content_gives_another_hash(source: Path, tmp_path: Path, change: str) -> None:
    """The hash follows the content and the names of the files."""
    before = write_tarball(source, tmp_path / "before.tar.gz")
    if change == "content":
        (source / "train.py").write_text("print('other')\n")
    else:
        (source / "train.py").rename(source / "other.py")
    assert write_tarball(source, tmp_path / "after.tar.gz") != before


def test_files_lie_at_the_root_of_the_tarball(source: Path, tmp_path: Path) -> None:
    """SageMaker looks for the entry point at the root, readable and owned by nobody in particular."""
    write_tarball(source, tmp_path / "code.tar.gz")
    with tarfile.open(tmp_path / "code.tar.gz") as archive:
        entries = archive.getmembers()
    assert [entry.name for entry in entries] == ["package/module.py", "train.py"]
    assert {(entry.mode, entry.uid, entry.gid, entry.mtime, entry.uname) for entry in entries} == {(0o644, 0, 0, 0, "")}


def test_staging_replaces_what_was_there(source: Path, tmp_path: Path) -> None:
    """A file that left the source is gone from the staged folder too."""
    stage_folder(tmp_path / "staged", {"code": source})
    (source / "train.py").unlink()
    staged = stage_folder(tmp_path / "staged", {"code": source, "extra.py": source / "package" / "module.py"})
    names = sorted(path.relative_to(staged).as_posix() for path in staged.rglob("*.py"))
    assert names == ["code/package/module.py", "extra.py"]


def test_missing_source_is_named(tmp_path: Path) -> None:
    """A missing folder is an error with its path, not an empty asset."""
    with pytest.raises(MissingAssetError) as caught:
        stage_folder(tmp_path / "staged", {"code": tmp_path / "nowhere"})
    assert caught.value.path == str(tmp_path / "nowhere")


def test_staged_files_are_readable_whatever_the_umask(source: Path, tmp_path: Path) -> None:
    """A person with umask 077 deploys files that a Lambda and a container, as another user, can read."""
    before = os.umask(0o077)
    try:
        staged = stage_folder(tmp_path / "staged", {"code": source})
    finally:
        os.umask(before)
    modes = {path.relative_to(staged).as_posix(): path.stat().st_mode & 0o777 for path in staged.rglob("*")}
    assert modes == {"code": 0o755, "code/package": 0o755, "code/train.py": 0o644, "code/package/module.py": 0o644}
