"""What the infrastructure tests share: all environments, synthesised once, in a process that has no network."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tools.configurations import CONFIGURATIONS, INSTANCES, KEYED, SLIM, WARM

ROOT = Path(__file__).resolve().parents[2]
# Each process that synthesises a stack of its own would compile AWS's rules for templates. `synthesised` applies them.
os.environ["CDK_VALIDATION"] = "false"
ENVIRONMENTS = ("local", "dev", "prod")
# Test modules are imported by path; what they share lies beside them.
sys.path.append(str(Path(__file__).parent))
STACKS = ("storage", "training", "serving", "release", "api", "monitoring")
WORKFLOW_STACKS = {"training": "training", "bulk": "training", "release": "release"}
"""The stack that holds each workflow."""
IMAGE_STACK = "image"
IMAGE_VARIANTS = ("slim", "keyed")  # where the container is `slim`
# Environments with other values: what cdk.json doesn't use has to be right as well.
VARIANTS: dict[str, dict[str, Any]] = {
    "slim": {"env": "dev", **SLIM, **WARM, "data.source_url": "s3://example-tickets/2026"},
    "instances": {"env": "prod", **INSTANCES, "data.source_url": "s3://example-tickets/2026/tickets.csv"},
    "keyed": {
        "env": "prod",
        **SLIM,
        **KEYED,
        "api.client_rate_limit": "0",
        "api.client_daily_quota": "0",
        "api.reserved_concurrency": "50",
    },
}
# A configuration without options is an environment of cdk.json.
PLAIN = "-plain"
_OTHERS = {name: values for name, values in CONFIGURATIONS.items() if not name.endswith(PLAIN)}
_HASH = re.compile(r"\b[0-9a-f]{64}\b")
SYNTHESIS = pytest.StashKey[Future[Any]]()


@dataclass(frozen=True, eq=False)
class Assemblies:
    """The cloud assemblies of all environments.

    Attributes:
        folder: holds one assembly per environment.
        facts: what the synthesising process found out about itself.
        isolated: whether it ran in a network namespace of its own, with nothing in it.
    """

    folder: Path
    facts: dict[str, Any]
    isolated: bool

    @functools.cache  # noqa: B019  one instance per test run
    def template(self, env: str, stack: str) -> dict[str, Any]:
        """A stack's template as plain data; `env` is an environment or a variant of one."""
        (path,) = (self.folder / env).glob(f"text-classifier-*-{stack}.template.json")
        template: dict[str, Any] = json.loads(path.read_text())
        return template

    def all_templates(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every template of every environment and variant with a name for messages."""
        for env in (*ENVIRONMENTS, *VARIANTS):
            for stack in (*STACKS, *([IMAGE_STACK] if env in IMAGE_VARIANTS else [])):
                yield f"{env}-{stack}", self.template(env, stack)

    def resources(self, env: str, stack: str, resource_type: str) -> list[dict[str, Any]]:
        """The resources of one type in a stack."""
        resources = self.template(env, stack)["Resources"].values()
        return [resource for resource in resources if resource["Type"] == resource_type]

    def machine(self, env: str, workflow: str) -> dict[str, Any]:
        """A workflow's state machine: `training`, `bulk` or `release`."""
        machines = self.resources(env, WORKFLOW_STACKS[workflow], "AWS::StepFunctions::StateMachine")
        (found,) = (one for one in machines if one["Properties"]["StateMachineName"].endswith(f"-{workflow}"))
        return found

    @functools.cache  # noqa: B019
    def assertions(self, env: str, stack: str) -> Any:
        """A stack's template as CDK's `Template`, for `Match`."""
        from aws_cdk.assertions import Template

        return Template.from_json(self.template(env, stack))


def synthesised(folder: Path, variants: dict[str, dict[str, Any]]) -> Assemblies:
    """The environments of cdk.json and these variants, in a process without a network (where a user can give one up).

    Once for all processes of a test run that name this folder: the others wait for the one that began.
    """
    unshare = ["unshare", "--map-root-user", "--net"]
    isolated = bool(shutil.which("unshare")) and not subprocess.run([*unshare, "true"], capture_output=True).returncode
    command = [
        sys.executable,
        str(Path(__file__).with_name("offline_synth.py")),
        str(ROOT),
        str(folder),
        json.dumps(variants),
    ]
    # In a namespace of its own a user sees root's folders as nobody's, and jsii then refuses its cache. Root does not.
    cache = {"JSII_RUNTIME_PACKAGE_CACHE": "disabled"} if isolated and os.getuid() else {}
    environment = {**os.environ, **cache, "CDK_VALIDATION": "true"}
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "facts.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            done = subprocess.run(
                [*unshare, *command] if isolated else command, capture_output=True, text=True, env=environment
            )
            assert done.returncode == 0, done.stdout + done.stderr
    return Assemblies(folder=folder, facts=json.loads((folder / "facts.json").read_text()), isolated=isolated)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin to synthesise if a test needs it; those that don't run meanwhile."""
    if any("assemblies" in getattr(item, "fixturenames", ()) for item in session.items):
        own: Path = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # no public way
        shared = own.parent if hasattr(session.config, "workerinput") else own
        made = ThreadPoolExecutor(1).submit(synthesised, shared / "assemblies", {**VARIANTS, **_OTHERS})
        session.config.stash[SYNTHESIS] = made


@pytest.fixture(scope="session")
def assemblies(pytestconfig: pytest.Config) -> Assemblies:
    """All environments and configurations, synthesised."""
    return pytestconfig.stash[SYNTHESIS].result()


@pytest.fixture(scope="session")
def configurations(assemblies: Assemblies) -> dict[str, dict[str, Any]]:
    """The templates of every configuration, by configuration and stack, with a word in place of each hash of code."""
    return {name: templates_of(assemblies, name.removesuffix(PLAIN)) for name in CONFIGURATIONS}


def templates_of(assemblies: Assemblies, name: str) -> dict[str, Any]:
    """The templates of a configuration by stack, with a word in place of each hash of code."""
    return {
        path.name.removesuffix(".template.json"): json.loads(_HASH.sub("<hash>", path.read_text()))
        for path in sorted((assemblies.folder / name).glob("*.template.json"))
    }


@pytest.fixture(scope="session")
def lint_errors() -> Callable[[dict[str, Any]], list[str]]:
    """Finds cfn-lint's errors in a template; the rules, half a second to load, are loaded once."""
    from cfnlint.config import ConfigMixIn
    from cfnlint.decode.decode import decode_str
    from cfnlint.runner import Runner

    runner = Runner(ConfigMixIn([], regions=["us-east-1"], ignore_checks=["W", "I"]))

    @functools.cache  # several environments share a template
    def find(template: str) -> list[str]:
        decoded, unreadable = decode_str(template)
        return [
            f"{match.rule.id}: {match.message}" for match in (*unreadable, *runner.validate_template(decoded or {}))
        ]

    return lambda template: find(json.dumps(template))


@pytest.fixture(scope="session")
def assert_valid() -> Callable[[str, str, Any], None]:
    """Holds a request (service, operation, request) to botocore's model of the service."""
    import boto3
    from botocore.validate import ParamValidator

    @functools.cache
    def model(service: str) -> Any:
        return boto3.client(service, region_name="us-east-1").meta.service_model

    def check(service: str, operation: str, request: Any) -> None:
        report = ParamValidator().validate(request, model(service).operation_model(operation).input_shape)
        assert not report.has_errors(), report.generate_report()

    return check


@pytest.fixture(scope="session")
def cdk_context() -> dict[str, Any]:
    """The context that cdk.json gives the app."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context
