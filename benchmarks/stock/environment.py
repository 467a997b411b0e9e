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
LOCK = Path(__file__).resolve().parent / "requirements.lock"
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
    return StockStack(_install(python, ROOT / ".local" / "stock-3.12", say), handler="cpu_handler")


def complete(say: Callable[[str], None] = print) -> StockStack:
    """Install the whole stack, torch included, under the Python of this process.

    torch is what the project trains with; the container has 2.6.0.
    Raises StackMissingError: Java is not on this machine, or the package index cannot be reached.
    """
    check_java()
    name = "{}.{}".format(*sys.version_info[:2])
    python = Path(sys._base_executable)  # type: ignore[attr-defined] # outside of this virtual environment
    installed = _install(python, ROOT / ".local" / f"stock-{name}-torch", say, torch=True)
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


def _install(python: Path, folder: Path, say: Callable[[str], None], *, torch: bool = False) -> Path:
    """Install the locked packages, and torch if asked, into an environment in `folder`; return its interpreter."""
    from tools import setup

    installed = folder / "bin" / "python"
    stamp = folder / ".ready"
    wanted = hashlib.sha256(LOCK.read_bytes() + setup.LOCK.read_bytes() + f"{python} {torch}".encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return installed
    say(f"installing the stock serving stack into {folder.relative_to(ROOT)} (once, a minute or two) ...")
    shutil.rmtree(folder, ignore_errors=True)
    into = ("--python", installed)
    try:
        setup.run("environment", [python, "-m", "venv", "--without-pip", folder])
        # One package is published as source; what builds it is locked, too.
        setup.run("setuptools", setup.pip(*into, "install", "-r", setup.only({"setuptools"}, LOCK)))
        setup.run("packages", setup.pip(*into, "install", "--no-build-isolation", "-r", LOCK))
        if torch:
            setup.install_torch(*into)
    except setup.SetupError as error:
        raise StackMissingError(f"the stock serving stack could not be installed.\n{error}") from error
    stamp.write_text(wanted)
    return installed
