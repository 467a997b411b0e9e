"""The ordinary way of a CDK project: an environment of any name, the person's own `cdk`, no make command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local_project import ROOT
from operations.aws.deployment import STACKS

ORDINARY = set(STACKS) - {"image", "delivery"}  # those two exist where the configuration asks for them

pytestmark = pytest.mark.integration

CDK = ROOT / "node_modules" / ".bin" / "cdk"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment of another name elsewhere, with pip and what requirements.txt names.

    The packages are those of `.venv`, through a .pth file, instead of gigabytes fetched anew; pip is its own.
    """
    folder = tmp_path_factory.mktemp("elsewhere") / "my-python"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (ours,) = (ROOT / ".venv").glob("lib/python*/site-packages")
    (packages / "ours.pth").write_text(f"{ours}\n")
    return folder


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a copy of what git tracks, as a fresh clone has it."""
    folder = tmp_path / "clone"
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def cdk(
    clone: Path, environment: Path, *arguments: str, before: tuple[str, ...] = (), **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the person's own cdk in the clone, with their environment activated."""
    node = clone.parent / "node"
    node.mkdir(exist_ok=True)
    if not (node / "node").exists():
        (node / "node").symlink_to((ROOT / ".venv" / "bin" / "node").resolve())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "VIRTUAL_ENV", "PYTHON"))}
    quiet = {"CDK_DISABLE_CLI_TELEMETRY": "true", "CDK_DISABLE_VERSION_CHECK": "1"}
    # The kernel unpacks its packages once, not for each command; unshared, a user other than root may not read them.
    unpacked = "disabled" if before and os.getuid() else "enabled"
    quiet |= {"JSII_RUNTIME_PACKAGE_CACHE": unpacked, "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(environment / "jsii")}
    quiet |= {"JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1"}
    path = os.pathsep.join([str(environment / "bin"), str(node), "/usr/bin", "/bin"])
    return subprocess.run(
        [*before, str(CDK), *arguments, "--no-notices", "--no-color"],
        cwd=clone,
        env={**kept, **quiet, "PATH": path, "HOME": str(clone.parent), **variables},
        capture_output=True,
        text=True,
    )


def assets(assembly: Path) -> set[str]:
    """The hashes of all assets of an assembly, its templates among them."""
    files = assembly.glob("*.assets.json")
    return {name for file in files for name in json.loads(file.read_text())["files"]}


def test_a_fresh_clone_synthesises_with_an_environment_of_any_name(clone: Path, environment: Path) -> None:
    """`cdk synth` assembles what it deploys; later ones need no network, and another umask changes no asset."""
    first = cdk(clone, environment, "synth", "--quiet", "--output", "first")
    assert first.returncode == 0, first.stderr
    assert list(clone.glob("first/asset.*/python/aws_lambda_powertools"))
    offline = ("unshare", "--map-root-user", "--net")
    if subprocess.run([*offline, "true"], capture_output=True).returncode:
        offline = ()
    made = ROOT / "build" / "lambda-layer"
    if made.is_dir():  # as `make setup` assembled it, by another interpreter in another folder
        shutil.rmtree(clone / "build" / "lambda-layer")
        shutil.copytree(made, clone / "build" / "lambda-layer")
    again = cdk(
        clone,
        environment,
        "synth",
        "--quiet",
        "--output",
        "again",
        before=("sh", "-c", 'umask 077; "$@"', "-", *offline),
    )
    assert again.returncode == 0, again.stderr
    assert assets(clone / "first") == assets(clone / "again")


def test_a_stack_list_needs_nothing_assembled(clone: Path, environment: Path) -> None:
    """`cdk list` neither assembles nor fails where nothing can be fetched."""
    listed = cdk(clone, environment, "list", PIP_INDEX_URL="http://127.0.0.1:9/", PIP_RETRIES="0")
    assert listed.returncode == 0, listed.stderr
    assert "text-classifier-dev-serving" in listed.stdout.splitlines()


def test_what_cannot_be_assembled_is_said_with_the_command(clone: Path, environment: Path) -> None:
    """Without a package index the app ends with one message: the folder, pip's reason, and what to run."""
    refused = cdk(clone, environment, "synth", "--quiet", PIP_INDEX_URL="http://127.0.0.1:9/", PIP_RETRIES="0")
    assert refused.returncode != 0
    assert "build/lambda-layer does not exist" in refused.stderr and "make setup" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.nightly(part="releases")
def test_diff_and_deploy_the_ordinary_way(clone: Path, environment: Path, server: Any) -> None:
    """`cdk bootstrap`, `cdk diff`, `cdk deploy --all`: all stacks are made, a second diff finds nothing to do."""
    keys, stacks = server.keys, server.client("cloudformation")
    aws = {name.upper(): keys[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
    aws |= {"AWS_ENDPOINT_URL": server.url, "AWS_REGION": keys["region"], "AWS_DEFAULT_REGION": keys["region"]}
    account = server.client("sts").get_caller_identity()["Account"]

    def run(*arguments: str) -> str:
        done = cdk(clone, environment, *arguments, **aws)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("bootstrap", f"aws://{account}/{keys['region']}")
    assert "Number of stacks with differences: 6" in run("diff", "-c", "env=local")
    run("deploy", "--all", "-c", "env=local", "--require-approval", "never")
    made = [stack["StackName"] for stack in stacks.describe_stacks()["Stacks"]]
    assert {f"text-classifier-local-{part}" for part in ORDINARY} <= set(made)
    assert "Number of stacks with differences: 0" in run("diff", "-c", "env=local")
