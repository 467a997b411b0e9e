"""Folders that are deleted in the background."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from local.discarding import discard


def test_a_folder_is_gone_at_once_and_deleted_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is free while the files are still being deleted."""
    goes_on, delete = threading.Event(), shutil.rmtree

    def slowly(folder: Path, ignore_errors: bool) -> None:
        goes_on.wait(10)
        delete(folder, ignore_errors)

    monkeypatch.setattr(shutil, "rmtree", slowly)
    (tmp_path / "tmp" / "deep").mkdir(parents=True)
    deleting = discard(tmp_path / "tmp")
    (tmp_path / "tmp").mkdir()
    assert len(list(tmp_path.iterdir())) == 2
    goes_on.set()
    deleting.join(10)
    assert list(tmp_path.iterdir()) == [tmp_path / "tmp"]


def test_what_a_kill_left_is_deleted_by_the_next(tmp_path: Path) -> None:
    """Leftovers of an earlier deletion go too, also where there is nothing new; other folders stay."""
    (tmp_path / "tmp.discarded-1" / "deep").mkdir(parents=True)
    (tmp_path / "tmp.else").mkdir()
    discard(tmp_path / "tmp").join(10)
    assert list(tmp_path.iterdir()) == [tmp_path / "tmp.else"]
