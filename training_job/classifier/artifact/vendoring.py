"""onnxruntime for the Hugging Face inference container, which lacks it: fetched while the artifact is packed.

It goes into ``code/vendor/cp312/`` of the artifact, where ``code/inference.py`` puts it on the path if the interpreter
matches. Nothing else is needed there: at run time onnxruntime imports numpy only, which the container has.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from classifier.errors import VendoringFailed

CONTAINER_PYTHON = "cp312"
"""Tag of the container's Python (huggingface-pytorch-inference:2.6.0-transformers5.5.3-cpu-py312-ubuntu22.04)."""

REQUIREMENT = Path(__file__).resolve().parents[2] / "vendored.txt"
"""The version, and the hashes of the wheels that may be used."""

PLATFORM = "manylinux_2_28_x86_64"
"""What the wheel is built for: the container runs on x86-64 with glibc 2.35."""

NEEDLESS = ("backend", "datasets", "quantization", "tools", "transformers", "capi/libonnxruntime.so.*")
"""Below ``onnxruntime/`` of the wheel: tools for making models, and the library once more for C programs (the Python
module has it linked in). Without them 65 MB become 31."""

FETCH_SECONDS = 180
"""Longest wait for the package index: the wheel has 24 MB."""

_log = logging.getLogger(__name__)

Fetch = Callable[[str, Path], Path]


@dataclass(frozen=True)
class Vendored:
    """What the artifact takes along.

    Attributes:
        python: tag of the interpreter it is for.
        onnxruntime: its version; None if the artifact goes without.
        note: what the Hugging Face container will do, and how to change that.
    """

    python: str
    onnxruntime: str | None
    note: str

    def as_dict(self) -> dict[str, str | None]:
        """As it stands in ``evaluation.json``."""
        return {"python": self.python, "onnxruntime": self.onnxruntime, "note": self.note}


def vendor_if_possible(code_dir: Path, *, wanted: bool, fetch: Fetch | None = None) -> Vendored:
    """Puts onnxruntime into ``code_dir`` if it is wanted and can be had; never fails, but says how it went.

    Args:
        code_dir: ``code/`` of the artifact.
        wanted: False for an artifact that another container will serve.
        fetch: stands for the package index.
    """
    if not wanted:
        return _without("vendor_onnxruntime is no", "train with vendor_onnxruntime=yes")
    try:
        version = vendor(code_dir, fetch=fetch)
    except VendoringFailed as e:
        vendored = _without(e.message, e.hint)
        _log.warning("%s", vendored.note)
        return vendored
    note = f"onnxruntime {version} travels along; the Hugging Face container serves with it."
    return Vendored(CONTAINER_PYTHON, version, note)


def vendor(code_dir: Path, *, python: str = CONTAINER_PYTHON, fetch: Fetch | None = None) -> str:
    """Puts onnxruntime into ``code_dir/vendor/<python>/``, whole or not at all.

    Args:
        code_dir: ``code/`` of the artifact.
        python: tag of the interpreter, ``cp312`` for CPython 3.12.
        fetch: gets the wheel for such an interpreter into a folder; stands for the package index.

    Returns:
        The version of onnxruntime.

    Raises:
        VendoringFailed: the wheel could not be fetched, is not the one that is pinned, or there is no room for it.
    """
    place = code_dir / "vendor" / python
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{python}-", dir=place.parent) as scratch:
            wheel = (fetch or download)(python, Path(scratch))
            content = Path(scratch) / "content"
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(content)
            _prune(content / "onnxruntime")
            if place.exists():
                shutil.rmtree(place)
            content.rename(place)
    except (OSError, zipfile.BadZipFile) as e:
        raise VendoringFailed(f"it could not be unpacked: {e}", hint=_MEND) from e
    return wheel.name.split("-")[1]


def download(python: str, folder: Path) -> Path:
    """The pinned wheel from the package index that pip is set up for, checked against its hash.

    Raises:
        VendoringFailed: pip could not get it, or got another one.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--retries=1", "--timeout=10", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    command += [f"--python-version={python.removeprefix('cp')}", "--implementation=cp", f"--abi={python}"]
    command += [f"--platform={PLATFORM}", f"--dest={folder}", f"--requirement={REQUIREMENT}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired as e:
        raise VendoringFailed(f"the package index did not deliver within {FETCH_SECONDS} s", hint=_MEND) from e
    wheels = list(folder.glob("onnxruntime-*.whl"))
    if done.returncode or not wheels:
        said = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING:")]
        errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR:")]
        reason = (errors or said or [f"it ended with {done.returncode}"])[-1]
        raise VendoringFailed(f"pip could not fetch it: {reason.strip()}", hint=_MEND)
    return wheels[0]


_MEND = "train where pip reaches a package index (PIP_INDEX_URL names another than PyPI)"


def _without(reason: str, mend: str) -> Vendored:
    note = (
        f"Without onnxruntime ({reason.rstrip('.')}): in the Hugging Face container torch serves this model, several "
        f"times slower. To change that, {mend}. The slim container has its own."
    )
    return Vendored(CONTAINER_PYTHON, None, note)


def _prune(package: Path) -> None:
    whole = _megabytes(package)
    for pattern in NEEDLESS:
        for path in package.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    _log.info("onnxruntime travels along: %d MB, of %d MB in its wheel", _megabytes(package), whole)


def _megabytes(folder: Path) -> int:
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6)
