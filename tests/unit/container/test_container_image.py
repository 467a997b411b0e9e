"""container/: checks of the image without a Docker engine."""

from __future__ import annotations

import ast
import fnmatch
import importlib.metadata
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = ROOT / "container" / "Dockerfile"
SLIM = ROOT / "build" / "slim"
INSTRUCTIONS = DOCKERFILE.read_text().replace("\\\n", " ")
MOST_MEGABYTES = 160
"""Installed packages and our code, without Python and the model."""


def ignored(path: str) -> bool:
    """Whether Dockerfile.dockerignore keeps a file (relative to the root) out of the build."""
    lines = Path(f"{DOCKERFILE}.dockerignore").read_text().splitlines()
    out = False
    for line in lines:
        pattern = line.removeprefix("!")
        # As Docker does: a star stops at a slash, and a pattern that names a folder includes what is in it.
        matches = pattern == "*" or (fnmatch.fnmatch(path, pattern) and path.count("/") == pattern.count("/"))
        if line and not line.startswith("#") and matches:
            out = not line.startswith("!")
    return out


def context() -> list[str]:
    """The files of this checkout that a build would see."""
    tracked = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True)
    return [path for path in tracked.splitlines() if not ignored(path)]


def test_hadolint_has_no_complaint() -> None:
    """The linter for Dockerfiles, with all its rules."""
    linter = Path(sys.executable).parent / "hadolint"
    run = subprocess.run([linter, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "")


def test_the_build_sees_our_serving_code_and_nothing_else() -> None:
    """No data, no tests, no configuration, no local state can get into a layer."""
    code = {str(path.relative_to(ROOT)) for path in (ROOT / "training_job" / "serving").rglob("*.py")}
    assert set(context()) == {"container/__main__.py", "container/requirements.txt"} | code


def test_every_copied_file_exists_in_the_build() -> None:
    """Files named by COPY are not ignored."""
    sources = re.findall(r"^COPY (?!--from)(\S+) ", INSTRUCTIONS, re.MULTILINE)
    assert sources == ["container/requirements.txt", "container/__main__.py", "training_job/serving/"]
    assert all(any(path.startswith(source) for path in context()) for source in sources)


def test_the_base_is_pinned_by_tag_and_digest() -> None:
    """Both stages use the same base."""
    bases = re.findall(r"^FROM (\S+)", INSTRUCTIONS, re.MULTILINE)
    assert len(bases) == 2 and len(set(bases)) == 1
    assert re.search(r":3\.11\.\d+-slim-bookworm@sha256:[0-9a-f]{64}$", bases[0])


def test_the_image_starts_as_root_and_serves_as_nobody() -> None:
    """AWS asks for root at the start; the server's variable names nobody. ENTRYPOINT takes the argument `serve`."""
    last = INSTRUCTIONS.rpartition("\nFROM ")[2]
    assert not re.search(r"^USER ", last, re.MULTILINE)
    assert re.search(r"^ENV SERVING_USER=65534$", last, re.MULTILINE)
    entry_point = re.search(r"^ENTRYPOINT (.*)$", last, re.MULTILINE)
    assert entry_point and ast.literal_eval(entry_point[1]) == ["python", "-I", "-S", "/opt/server"]


def test_modes_in_the_image_are_its_own() -> None:
    """What is copied into the image becomes readable to nobody there, whatever umask the deploying person has."""
    first = INSTRUCTIONS.partition("\nFROM ")[2]
    assert re.search(r"chmod -R a=rX,u\+w /opt/server$", first.partition("\nFROM ")[0], re.MULTILINE)


LARGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


@pytest.mark.skipif(
    not LARGE_PAGES.is_file() or "[madvise]" not in LARGE_PAGES.read_text(),
    reason="this kernel gives large pages to everybody or to nobody: there is nothing to ask for",
)
def test_weights_lie_in_large_pages() -> None:
    """With the image's tunables, the C library requests large pages from the kernel."""
    ((name, value),) = re.findall(r"^ENV (GLIBC_\w+)=(\S+)$", INSTRUCTIONS, re.MULTILINE)
    code = "block = bytearray(32 << 20); print(open('/proc/self/smaps').read().count(' hg'))"
    command = [sys.executable, "-I", "-S", "-c", code]
    without, with_it = (int(subprocess.check_output(command, env=env)) for env in ({}, {name: value}))
    assert without == 0 < with_it


def test_packages_are_pinned_with_hashes_to_the_tested_versions() -> None:
    """What the image installs is what this environment tests with."""
    text = (ROOT / "container" / "requirements.txt").read_text()
    pins = re.findall(r"^([a-z_-]+)==(\S+) \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[a-z]", text, re.MULTILINE))
    assert dict(pins) == {name: importlib.metadata.version(name) for name, _ in pins}


def test_no_heavy_library_is_in_the_image() -> None:
    """Neither torch nor transformers, nor anything else that is not pinned."""
    folders = {path.name for path in SLIM.iterdir() if path.is_dir() and "." not in path.name}
    packages = {"bin", "httptools", "numpy", "onnxruntime", "serving", "tokenizers"}
    assert folders - {"__pycache__"} == packages


def test_the_installed_tree_is_small() -> None:
    """Without Python itself and the model."""
    size = sum(path.stat().st_size for path in SLIM.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert size < MOST_MEGABYTES * 1_000_000


def healthcheck() -> str:
    """The Dockerfile's HEALTHCHECK program."""
    command = re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", INSTRUCTIONS, re.MULTILINE)
    assert command is not None
    return ast.literal_eval(command[1])[-1]


def test_the_healthcheck_is_a_program_that_fails_when_nobody_answers() -> None:
    """Exit status 0 only when /ping answered."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", healthcheck()],
        env={"SAGEMAKER_BIND_TO_PORT": str(port)},
        capture_output=True,
        check=False,
    )
    assert run.returncode == 1
