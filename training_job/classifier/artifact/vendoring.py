"""Vendor onnxruntime for the Hugging Face inference container, which lacks it, while the artifact is packed.

It goes into `code/vendor/cp312/` of the artifact. `code/inference.py` adds that folder to the path if the interpreter
matches. At run time onnxruntime imports only numpy, which the container has.
"""

import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from classifier.errors import VendoringError

CONTAINER_PYTHON = "cp312"
"""Tag of the container's Python (huggingface-pytorch-inference:2.6.0-transformers5.5.3-cpu-py312-ubuntu22.04)."""

REQUIREMENT = Path(__file__).resolve().parents[2] / "vendored.txt"
"""The version, and the hashes of the allowed wheels."""

PLATFORM = "manylinux_2_28_x86_64"
"""Platform of the wheel: the container runs on x86-64 with glibc 2.35."""

NEEDLESS = ("backend", "datasets", "quantization", "tools", "transformers", "capi/libonnxruntime.so.*")
"""Parts of the wheel to leave out: tools for making models, and a second copy of the library for C programs. Without
them 65 MB become 31."""

FETCH_SECONDS = 180
"""Longest wait for the package index: the wheel has 24 MB."""

_REMEDY = "train where pip reaches a package index (PIP_INDEX_URL names another than PyPI)"

_log = logging.getLogger(__name__)

Fetch = Callable[[str, Path], Path]


def vendor_if_possible(code_dir: Path, *, wanted: bool, fetch: Fetch | None = None) -> dict[str, str | None]:
    """Put onnxruntime into `code_dir`, the artifact's `code/`, if it is wanted and available. Never fail.

    Returns for `evaluation.json`: `python`, the interpreter's tag; `onnxruntime`, its version or None; `note`, what the
    Hugging Face container will do, and how to change that. `fetch` replaces the package index.
    """
    if not wanted:
        return _without("vendor_onnxruntime is no", "train with vendor_onnxruntime=yes")
    try:
        version = vendor(code_dir, fetch=fetch)
    except VendoringError as e:
        vendored = _without(e.message, e.hint)
        _log.warning("%s", vendored["note"])
        return vendored
    note = f"The artifact contains onnxruntime {version}; the Hugging Face container serves with it."
    return {"python": CONTAINER_PYTHON, "onnxruntime": version, "note": note}


def vendor(code_dir: Path, *, python: str = CONTAINER_PYTHON, fetch: Fetch | None = None) -> str:
    """Put onnxruntime into `code_dir/vendor/<python>/`, completely or not at all; return its version.

    `python`: tag of the interpreter, such as `cp312` for CPython 3.12. Raises VendoringError: the wheel could not be
    fetched, is not the pinned one, or the disk is full.
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
        raise VendoringError(f"it could not be unpacked: {e}", hint=_REMEDY) from e
    return wheel.name.split("-")[1]


def download(python: str, folder: Path) -> Path:
    """Download the pinned wheel with pip, which checks its hash; raise VendoringError."""
    target = [f"--python-version={python.removeprefix('cp')}", "--implementation=cp", f"--abi={python}"]
    run_pip("download", REQUIREMENT, *target, f"--platform={PLATFORM}", f"--dest={folder}")
    return next(folder.glob("onnxruntime-*.whl"))


def run_pip(verb: str, requirements: Path, *options: str) -> None:
    """Let pip fetch the wheels of a file with hashes, without what they need in turn; raise VendoringError."""
    command = [sys.executable, "-m", "pip", verb, "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--retries=1", "--timeout=10", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    command += [*options, f"--requirement={requirements}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired as e:
        raise VendoringError(f"the package index did not deliver within {FETCH_SECONDS} s", hint=_REMEDY) from e
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING:")]
        errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR:")]
        reason = (errors or said or [f"it ended with {done.returncode}"])[-1]
        raise VendoringError(f"pip could not fetch it: {reason.strip()}", hint=_REMEDY)


def _without(reason: str, remedy: str) -> dict[str, str | None]:
    note = (
        f"The artifact has no onnxruntime ({reason.rstrip('.')}). The Hugging Face container serves this model with "
        f"torch, several times slower. To change that, {remedy}. The slim container has its own."
    )
    return {"python": CONTAINER_PYTHON, "onnxruntime": None, "note": note}


def _prune(package: Path) -> None:
    whole = _megabytes(package)
    for pattern in NEEDLESS:
        for path in package.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    _log.info("onnxruntime travels along: %d MB, of %d MB in its wheel", _megabytes(package), whole)


def _megabytes(folder: Path) -> int:
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6)
