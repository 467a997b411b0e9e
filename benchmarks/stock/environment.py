"""Install the stock stack into a folder below `.local/`, once, and say what is missing on this machine."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
REQUIREMENTS = Path(__file__).resolve().parent / "requirements.txt"
TORCH = "torch==2.13.0"
"""What the project trains with; the container has 2.6.0."""
JAVA_HINT = "Java 11 or later is not there: on Debian or Ubuntu, apt-get install default-jre-headless"


class StackMissingError(Exception):
    """Something that the stack needs is not on this machine; the message says how to install it."""


@dataclass(frozen=True)
class StockStack:
    """An installed stack. `python`: its interpreter. `handler`: the module that multi-model-server loads."""

    python: Path
    handler: str


def hooks_only(say: Callable[[str], None] = print) -> StockStack:
    """Install the stack under Python 3.12, the container's, without torch, for artifacts that bring onnxruntime along.

    Raises StackMissingError: Python 3.12 or Java is not on this machine, or the package index cannot be reached.
    """
    check_java()
    python = find_python((3, 12))
    if python is None:
        raise StackMissingError(
            "Python 3.12, which the container has, is not there: install python3.12, or with pyenv 3.12"
        )
    return StockStack(_install(python, ROOT / ".local" / "stock-3.12", [], say), handler="cpu_handler")


def complete(say: Callable[[str], None] = print) -> StockStack:
    """Install the whole stack, torch included, under the Python of this process.

    Raises StackMissingError: Java is not on this machine, or the package index cannot be reached.
    """
    from tools.setup import torch_index

    check_java()
    name = "{}.{}".format(*sys.version_info[:2])
    python = Path(sys._base_executable)  # type: ignore[attr-defined] # outside of this virtual environment
    installed = _install(python, ROOT / ".local" / f"stock-{name}-torch", [TORCH, *torch_index()], say)
    return StockStack(installed, handler="sagemaker_huggingface_inference_toolkit.handler_service")


def check_java() -> None:
    """Refuse a machine on which no Java can be run."""
    java = shutil.which("java")
    if java is None or subprocess.run([java, "-version"], capture_output=True).returncode:
        raise StackMissingError(JAVA_HINT)


def find_python(version: tuple[int, int]) -> Path | None:
    """Return an interpreter of that version: one on the PATH, or one that pyenv has; None if there is none."""
    name = "python{}.{}".format(*version)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    places = [Path(found) for found in [shutil.which(name)] if found]
    places += sorted(pyenv.glob("versions/{}.{}.*/bin/".format(*version) + name), reverse=True)
    for place in places:
        # pyenv's own python3.12 on the PATH may belong to a version that is installed but not switched on.
        if subprocess.run([place, "-c", "import ensurepip"], capture_output=True).returncode == 0:
            return place
    return None


def _install(python: Path, folder: Path, further: list[str], say: Callable[[str], None]) -> Path:
    """Install the pinned packages and what `further` names into an environment in `folder`; return its interpreter."""
    installed = folder / "bin" / "python"
    stamp = folder / ".ready"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + " ".join([str(python), *further]).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return installed
    say(f"installing the stock serving stack into {folder.relative_to(ROOT)} (once, a minute or two) ...")
    shutil.rmtree(folder, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", f"--python={installed}", "install", "--disable-pip-version-check", "--quiet"]
    _run([str(python), "-m", "venv", "--without-pip", str(folder)])
    _run([*pip, "--no-deps", f"--requirement={REQUIREMENTS}"])
    if further:
        _run([*pip, *further])
    stamp.write_text(wanted)
    return installed


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        reason = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise StackMissingError(f"the stock serving stack could not be installed (network? disk space?):\n{reason}")
