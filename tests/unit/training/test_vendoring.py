"""Vendoring onnxruntime: the pinned wheel, pruned, completely or not at all, without failing the job."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path

import pytest

from classifier.artifact import vendoring
from classifier.artifact.vendoring import CONTAINER_PYTHON, vendor, vendor_if_possible
from classifier.errors import VendoringError

NAME = "onnxruntime-1.31.1-cp312-cp312-manylinux_2_28_x86_64.whl"
NEEDED = (
    "onnxruntime/__init__.py",
    "onnxruntime/LICENSE",
    "onnxruntime/ThirdPartyNotices.txt",
    "onnxruntime/capi/_pybind_state.py",
    "onnxruntime/capi/onnxruntime_pybind11_state.so",
    "onnxruntime/capi/libonnxruntime_providers_shared.so",
    "onnxruntime-1.31.1.dist-info/METADATA",
)
NEEDLESS = (
    "onnxruntime/transformers/optimizer.py",
    "onnxruntime/quantization/quantize.py",
    "onnxruntime/capi/libonnxruntime.so.1.31.1",
)


def index(python: str, folder: Path) -> Path:
    """Stand in for the package index: write a wheel with the layout of the real one."""
    wheel = folder / NAME.replace("cp312", python)
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in (*NEEDED, *NEEDLESS):
            archive.writestr(name, name)
    return wheel


def unreachable(python: str, folder: Path) -> Path:
    """An index that does not answer."""
    raise VendoringError("no answer.", hint="try again")


def files(folder: Path) -> set[str]:
    """List every file below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_runs_is_kept_with_its_licence(tmp_path: Path) -> None:
    """Tools for making models and the second copy of the library are left out."""
    assert vendor(tmp_path, fetch=index) == "1.31.1"
    assert files(tmp_path) == {f"vendor/cp312/{name}" for name in NEEDED}


def test_packing_again_replaces_what_was_there(tmp_path: Path) -> None:
    """Nothing of an earlier version is left."""
    old = tmp_path / "vendor" / CONTAINER_PYTHON / "onnxruntime"
    old.mkdir(parents=True)
    (old / "old.py").touch()
    vendor(tmp_path, fetch=index)
    assert files(tmp_path) == {f"vendor/cp312/{name}" for name in NEEDED}


def test_another_interpreter_has_a_folder_of_its_own(tmp_path: Path) -> None:
    """The tag selects wheel and folder."""
    vendor(tmp_path, python="cp311", fetch=index)
    assert [path.name for path in (tmp_path / "vendor").iterdir()] == ["cp311"]


def broken(python: str, folder: Path) -> Path:
    """An index that delivers something else than a wheel."""
    (folder / NAME).write_text("no archive")
    return folder / NAME


@pytest.mark.parametrize("fetch", [unreachable, broken])
def test_a_failure_leaves_no_part_of_it(tmp_path: Path, fetch: vendoring.Fetch) -> None:
    """Neither the folder nor a partial copy is left."""
    with pytest.raises(VendoringError):
        vendor(tmp_path, fetch=fetch)
    assert list((tmp_path / "vendor").iterdir()) == []


def test_a_failure_is_told_and_does_not_raise(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log and the artifact say what the container will do, why, and how to change that."""
    with caplog.at_level(logging.WARNING):
        vendored = vendor_if_possible(tmp_path, wanted=True, fetch=unreachable)
    assert vendored == {
        "python": "cp312",
        "onnxruntime": None,
        "note": "The artifact has no onnxruntime (no answer). The Hugging Face container serves this model with torch, "
        "several times slower. To change that, try again. The slim container has its own.",
    }
    assert caplog.messages == [vendored["note"]]


def test_unwanted_means_that_nothing_is_asked(tmp_path: Path) -> None:
    """With vendor_onnxruntime=no the index is not asked and nothing is written."""
    assert vendor_if_possible(tmp_path, wanted=False, fetch=unreachable)["onnxruntime"] is None
    assert list(tmp_path.iterdir()) == []


def test_success_is_told(tmp_path: Path) -> None:
    """evaluation.json has the vendored version."""
    assert vendor_if_possible(tmp_path, wanted=True, fetch=index)["onnxruntime"] == "1.31.1"


def test_a_wheel_with_another_hash_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel with the right name and other content, from a local index, is refused by pip."""
    offered = tmp_path / "index"
    offered.mkdir()
    with zipfile.ZipFile(index(CONTAINER_PYTHON, offered), "a") as archive:
        archive.writestr("onnxruntime-1.31.1.dist-info/WHEEL", "Wheel-Version: 1.0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(offered))
    with pytest.raises(VendoringError, match=r"(?i)hash"):
        vendor(tmp_path / "code")


def test_an_index_that_does_not_answer_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an index, the reason is pip's own message."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(VendoringError, match="No matching distribution found for onnxruntime"):
        vendor(tmp_path / "code")
