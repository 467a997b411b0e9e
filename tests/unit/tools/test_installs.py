"""Whatever is installed, here or by what is deployed, is checked by hash; a new way of installing is noticed."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.stock import environment
from setup_copy import setup_copy
from tools import setup

ROOT = setup.ROOT
INSTALLERS = {"pip", "pip3", "pipx", "uv", "uvx", "npm", "npx", "conda", "apt-get", "npm-cli.js", "ensurepip"}
INSTALLS = re.compile(
    rf"\b({'|'.join(INSTALLERS)})\b[\w \-./=$\"'{{}}]*? (install|download|wheel|sync|ci|i|add|exec|tool)\b"
)
KNOWN = {
    "tools/setup.py": "test_set_up_installs_by_hash, test_what_is_deployed_is_assembled_by_hash",
    "benchmarks/stock/environment.py": "test_the_peer_of_the_benchmarks_is_installed_by_hash; hints name Debian's Java",
    "container/Dockerfile": "test_the_image_installs_by_hash_on_a_base_by_digest",
    "training_job/classifier/artifact/vendoring.py": "tests/unit/training/test_vendoring.py refuses another content",
    "tests/e2e/test_container_versions.py": "test_files_that_are_installed_have_a_hash_for_every_package",
    # Nothing is fetched.
    "tests/integration/test_lock.py": "--dry-run --require-hashes",
    "tests/unit/serving/test_serving_image.py": "the name of a library that the image lacks",
    "local/sagemaker/training/launch.py": "--dry-run --no-index: whether the image has what the job asks for",
    "tests/infra/test_isolated_training.py": "no index, a wheel of the test's own",
    "tests/unit/training/test_base_model.py": "the text of a hint",
    "tests/support/installed_client.py": "no index, the client from this folder",
    "tests/integration/test_client_process.py": "a line of the client's README, which is left out",
    "tests/integration/test_tampered_packages.py": "a wheel of the test's own, over the loopback interface",
    "tests/integration/test_supply_chain.py": "npm tells what it knows and installs nothing",
    "tests/integration/test_currency.py": "PyPI and npm tell which versions there are",
    "tests/unit/tools/test_workflows.py": "the name of one of Dependabot's ecosystems",
    "SECURITY.md": "the table of what is checked",
    "tools/doctor.py": "asks pip for its settings, and whether its index and npm's answer",
    "tests/unit/tools/test_doctor.py": "the names of those checks",
    # Others check.
    "tools/browser.py": "Debian's packages: apt checks their signatures",
    # A person decides.
    "client/README.md": "a library: its user's lock decides on the versions of what it needs",
    "docs/api.md": "the same library",
    # Messages that name a package.
    "local/emulator/common/environment.py": "what to run where ministack has another version",
    "training_job/classifier/model/base_model.py": "what to run where a package with a base model is missing",
    "training_job/tables/columnar.py": "what to run where pyarrow or calamine is missing",
    "training_job/tables/source.py": "what to run where zstandard is missing",
}
PROSE = re.compile(r"CHANGELOG.md|docs/(?!api)|NOTICE|.*\.lock|package-lock.json|tests/unit/tools/test_installs.py")
HASHED = ("container/requirements.txt", "training_job/requirements.txt", "training_job/vendored.txt", setup.TORCH_CPU)
HASHED += ("training_job/tracking.txt",)
HASHED += tuple(setup.TOOLKITS.values())
HASHED += ("requirements.lock", "benchmarks/stock/requirements.lock")
HASHED += ("tests/support/containers/training.txt", "tests/support/containers/inference.txt")


def unhashed(text: str) -> list[str]:
    """The lines of a requirements file that name something without a version and a SHA-256."""
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip() and line[0] != "#"]
    return [line for line in lines if not re.match(r"[\w.-]+==[^ ]+ .*--hash=sha256:[0-9a-f]{64}\b", line)]


def installing(text: str, *, python: bool) -> bool:
    """Whether a file calls an installer: words of a command in Python, text elsewhere; comments don't count."""
    if not any(word in text for word in INSTALLERS):
        return False
    if not python:
        return any(INSTALLS.search(line) for line in text.splitlines() if not line.startswith("#"))
    tree = ast.parse(text)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in prose)
    words = (node.value for node in constants if isinstance(node.value, str))
    return any(word in INSTALLERS or INSTALLS.search(word) for word in words)


def test_every_place_that_installs_something_is_known() -> None:
    """A file that calls pip, uv, npm or apt is listed with what checks it, and each listed file still does."""
    names = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True).splitlines()
    places = {name for name in names if (ROOT / name).is_file() and not PROSE.match(name)}
    found = {
        name for name in places if installing((ROOT / name).read_text(errors="replace"), python=name.endswith(".py"))
    }
    assert found == set(KNOWN)


@pytest.mark.parametrize(
    "code",
    [
        'run([python, "-m", "pip", *options])',
        'call("uv tool run black")',
        'npm = which("npm")',
        'f"{sudo} pip install x"',
    ],
)
def test_a_new_call_in_python_is_noticed(code: str) -> None:
    """Words of a list, a line for a shell, and a program that is looked up."""
    assert installing(code, python=True)


@pytest.mark.parametrize("line", ["RUN pip install requests", "\tnpm install -g cdk", "  - apt-get -y install jq"])
def test_a_new_call_elsewhere_is_noticed(line: str) -> None:
    """A Dockerfile, the Makefile, a workflow of a CI."""
    assert installing(line, python=False)


def refuse_unhashed(command: list[str]) -> None:
    """Fail unless a command makes an empty environment, or installs nothing but what a file has the hashes of."""
    words = [str(word) for word in command]
    if words[1:3] == ["-m", "venv"] or words[1:2] == ["venv"]:
        return
    assert not [word for word in words if word.startswith("--extra-index-url")], words
    if any(word.endswith("npm-cli.js") for word in words):
        assert "ci" in words  # which installs what package-lock.json says, or fails
        return
    assert "pip" in words and {"install", "download", "sync"} & set(words), words
    assert "--require-hashes" in words
    assert len([word for word in words if word.endswith((".txt", ".lock"))]) == 1


class Recorder:
    """Stands for the run of installers: notes each command, checks it, and makes the folders that it would fill."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.steps: list[str] = []

    def run(self, step: str, command: list[Any], env: object = None, folder: Path | None = None) -> None:
        """Note one command."""
        words = list(map(str, command))
        refuse_unhashed(words)
        (file,) = [word for word in words if word.endswith((".txt", ".lock"))] or [""]
        if file:
            text = ((folder or self.root) / file).read_text()
            assert text.strip() and unhashed(text) == [], step
        for option in ("--target", "--dest"):
            if option in words:
                ((folder or self.root) / words[words.index(option) + 1]).mkdir(parents=True, exist_ok=True)
        self.steps.append(step)


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Recorder]:
    """A copy of set-up whose installers are recorded."""
    copy = setup_copy(tmp_path)
    recorder = Recorder(tmp_path)
    for name in ("VENV", "CLOUD_VENV"):
        (getattr(copy, name) / "bin").mkdir(parents=True)
    monkeypatch.setattr(copy, "run", recorder.run)
    monkeypatch.setattr(copy, "npm_command", lambda: (tmp_path / "node", tmp_path / "npm-cli.js"))
    return copy, recorder


def test_set_up_installs_by_hash(copied: tuple[Any, Recorder]) -> None:
    """Every command of `make setup` names a file in which each package has a SHA-256, and no second index."""
    copy, recorder = copied
    copy.install_python(fresh=False)
    copy.install_cloud(fresh=True)
    copy.install_slim()
    copy.install_toolkit()
    copy.install_cdk()
    assert len(recorder.steps) == 10, recorder.steps


def test_without_a_cpu_build_torch_is_pypis_by_hash(copied: tuple[Any, Recorder], monkeypatch: Any) -> None:
    """Where no CPU build with a locked hash is in reach, PyPI's is installed, with what it needs, and no other."""
    copy, recorder = copied

    def run(step: str, command: list[Any]) -> None:
        recorder.run(step, command)
        if "CPU" in step:
            raise copy.SetupError("no such version")

    monkeypatch.setattr(copy, "run", run)
    monkeypatch.setattr(copy.sys, "platform", "linux")
    copy.install_torch()
    assert [step.split(",")[0] for step in recorder.steps] == ["torch", "torch", "torch from PyPI"]
    assert "torch==" in (copy.SCRATCH / "locked.txt").read_text()


@pytest.mark.parametrize("name", list(setup.ASSEMBLED))
def test_what_is_deployed_is_assembled_by_hash(copied: tuple[Any, Recorder], name: str) -> None:
    """The Lambda layer, and the wheels of a training without internet."""
    copy, recorder = copied
    copy.assemble(name, Path("python"))
    assert recorder.steps == [f"build/{name}"]


def test_the_peer_of_the_benchmarks_is_installed_by_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stock serving stack and its torch; what builds its one source package is locked as well."""
    recorder = Recorder(ROOT)
    monkeypatch.setattr(setup, "run", recorder.run)
    monkeypatch.setattr(setup, "SCRATCH", tmp_path)
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "check_java", lambda: None)
    (tmp_path / "stock").mkdir()
    monkeypatch.setattr(environment.shutil, "rmtree", lambda *_, **__: None)
    environment._install(Path("python"), tmp_path / "stock", lambda _: None, torch=True)
    assert recorder.steps == ["environment", "setuptools", "packages", "torch, the CPU build"]


@pytest.mark.parametrize("file", HASHED)
def test_files_that_are_installed_have_a_hash_for_every_package(file: str) -> None:
    """One line with a hash makes pip ask for all; a job's container installs its file so, without an option of ours."""
    text = (ROOT / file).read_text()
    assert unhashed(text) == [] and "--hash" in text
    assert "index-url" not in text.replace("#", "")


def test_the_image_installs_by_hash_on_a_base_by_digest() -> None:
    """Each RUN that installs requires hashes; each FROM names a digest."""
    lines = (ROOT / "container" / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    runs = [line for line in lines if line.startswith("RUN") and INSTALLS.search(line)]
    assert len(runs) == 1 and "--require-hashes" in runs[0] and "--only-binary :all:" in runs[0]
    assert all(re.search(r"@sha256:[0-9a-f]{64}\b", line) for line in lines if line.startswith("FROM "))


def test_the_ordinary_way_to_aws_installs_by_hash() -> None:
    """The ordinary way of a CDK project installs the lock."""
    lines = [line for line in (ROOT / "docs/first-deployment.md").read_text().splitlines() if INSTALLS.search(line)]
    assert lines == ["pip install --require-hashes -r requirements.lock"]


def test_node_packages_have_a_hash() -> None:
    """Each entry of package-lock.json has the digest that `npm ci` compares."""
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert [name for name, one in packages.items() if name and not one.get("integrity", "").startswith("sha512-")] == []


def test_hooks_of_a_commit_download_nothing() -> None:
    """All are local programs."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [one["repo"] for one in hooks] == ["local"]
    assert {hook["language"] for one in hooks for hook in one["hooks"]} == {"system"}


@pytest.mark.parametrize(
    "command",
    [
        "python -m pip install requests",
        "python -m pip install --require-hashes --extra-index-url=https://example.com -r a.txt",
        "uv pip install -r a.txt",
        "node npm-cli.js install",
        "curl https://example.com/install.sh",
    ],
)
def test_a_command_without_hashes_is_refused(command: str) -> None:
    """The check itself can fail."""
    with pytest.raises(AssertionError):
        refuse_unhashed(command.split())
