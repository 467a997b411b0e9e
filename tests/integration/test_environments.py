"""Several environments in one account, with the real CDK command line: first deployments that fail, destroyed ones."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from local_project import ROOT, LocalProject, LocalProjects
from operations.aws import inventory
from operations.aws.deployment import Deployment

pytestmark = [pytest.mark.integration, pytest.mark.nightly(part="releases")]

HOME, ELSEWHERE = "us-east-1", "eu-west-1"
CONTEXT = f"serving.hub_model_id= serving.hub_model_revision= home_region={HOME}"
"""Without a hub model: nothing to download, and no endpoint."""


class Account:
    """The account of a local cloud, as the ordinary AWS variables reach it. `folder`: for what cdk writes."""

    def __init__(self, project: LocalProject, folder: Path) -> None:
        self._folder, self._status = folder, project.status
        self.environment = {
            **project.environment,
            "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": ".:training_job:client",
            "HOME": str(folder),
            "CONTEXT": CONTEXT,
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "AWS_ENDPOINT_URL": self._status["endpoint_url"],
            "AWS_ACCESS_KEY_ID": self._status["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": self._status["aws_secret_access_key"],
        }
        self.imports = project.folder / "import"

    def session(self, region: str = HOME) -> boto3.Session:
        """Return a session with the account's credentials."""
        keys = {name: self._status[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
        return boto3.Session(region_name=region, **keys)

    def client(self, service: str) -> Any:
        """Return a client in the home region."""
        return self.session().client(service, endpoint_url=self._status["endpoint_url"])

    def named(self, env: str, region: str = HOME) -> set[inventory.Found]:
        """Return everything that bears the environment's names in a region."""
        return set(inventory.inventory(Deployment(env, self.session(region), self._status["endpoint_url"])))

    def cdk(self, env: str, *arguments: str, region: str = HOME) -> subprocess.CompletedProcess[str]:
        """Run `cdk …` for an environment in a region."""
        context = [word for value in (f"env={env}", *CONTEXT.split()) for word in ("-c", value)]
        command = ["cdk", *arguments, *context, "--app", "python app.py", "--output", str(self._folder / "cdk.out")]
        return self._run(*command, "--no-notices", "--no-color", region=region)

    def deploy(self, env: str, *arguments: str, region: str = HOME) -> subprocess.CompletedProcess[str]:
        """Run `cdk deploy --all …`."""
        return self.cdk(env, "deploy", "--all", "--require-approval", "never", *arguments, region=region)

    def teardown(self, env: str, *arguments: str, region: str = HOME) -> dict[str, Any]:
        """Run `python -m operations teardown …`; what it says as JSON, with its exit code."""
        command = ("python", "-m", "operations", "teardown", "--env", env, "--json", *arguments)
        done = self._run(*command, region=region)
        return {"code": done.returncode, "errors": done.stderr, **json.loads(done.stdout or "{}")}

    def _run(self, *command: str, region: str) -> subprocess.CompletedProcess[str]:
        variables = {**self.environment, "AWS_REGION": region, "AWS_DEFAULT_REGION": region}
        options: dict[str, Any] = {"capture_output": True, "text": True, "stdin": subprocess.DEVNULL, "timeout": 900}
        return subprocess.run(command, cwd=ROOT, env=variables, **options)


@pytest.fixture(scope="module")
def account(projects: LocalProjects, deployed: Path, tmp_path_factory: pytest.TempPathFactory) -> Account:
    """An account in whose home region the environment `local` is deployed."""

    def start() -> LocalProject:
        made = projects.new("environments", copy_of=deployed)
        made.make("deploy")
        return made

    return Account(projects.keep("environments", start), tmp_path_factory.mktemp("account"))


def names(found: set[inventory.Found]) -> set[str]:
    return {one.name for one in found}


def test_a_first_deployment_of_prod_that_fails_can_be_repeated(account: Account) -> None:
    """Its rollback leaves nothing behind; what termination protection keeps of it, `--failed` clears."""
    before, sagemaker = names(account.named("prod")), account.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="text-classifier-prod")
    assert account.deploy("prod").returncode
    left = names(account.named("prod")) - before
    (group,) = (name for name in left if "text-classifier-prod-storage-" not in name)
    assert group.endswith("model-package-group/text-classifier-prod")
    sagemaker.delete_model_package_group(ModelPackageGroupName="text-classifier-prod")
    repeated = account.deploy("prod")
    assert repeated.returncode and "TerminationProtection" in repeated.stdout + repeated.stderr
    cleared = account.teardown("prod", "--failed")
    assert (cleared["code"], cleared["stacks"]) == (0, {"text-classifier-prod-training": "DELETE_COMPLETE"})
    done = account.deploy("prod")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_prod_keeps_comes_back(account: Account) -> None:
    """It is destroyed on confirmation only; data, models and logs stay, are listed, and end in the new stacks."""
    s3, bucket = account.client("s3"), _data_bucket(account)
    s3.put_object(Bucket=bucket, Key="kept", Body=b"x")
    before = account.named("prod")
    assert "nobody confirmed" in account.teardown("prod")["errors"]
    assert account.named("prod") == before
    destroyed = account.teardown("prod", "--yes")
    assert set(destroyed["stacks"].values()) == {"DELETE_COMPLETE"}, destroyed
    kept = {one["name"] for one in destroyed["remains"] if one["whose"] == inventory.KEPT}
    role = {name for name in names(before) if "-api-Front" in name}
    assert names(account.named("prod")) == kept | role
    assert {one.kind for one in before if one.name in kept} == set(inventory._KEPT_KINDS) - {
        "AWS::ECR::Repository",
        "AWS::KMS::Key",
    }
    assert destroyed["code"] == 0
    for file in sorted(account.imports.glob("text-classifier-prod-*.json")):
        done = account.cdk("prod", "import", file.stem, "--resource-mapping", str(file))
        assert done.returncode == 0, done.stdout + done.stderr
    done = account.deploy("prod")
    assert done.returncode == 0, done.stdout + done.stderr
    assert s3.get_object(Bucket=_data_bucket(account), Key="kept")["Body"].read() == b"x"
    again = Deployment("prod", account.session(), account.environment["AWS_ENDPOINT_URL"])
    assert kept <= inventory.owned(again)


def _data_bucket(account: Account) -> str:
    (stack,) = account.client("cloudformation").describe_stacks(StackName="text-classifier-prod-storage")["Stacks"]
    return next(str(one["OutputValue"]) for one in stack["Outputs"] if one["OutputKey"] == "DataBucket")


def test_destroying_one_of_several_environments_leaves_the_others_as_they_were(
    account: Account, tell: Callable[[str], None]
) -> None:
    """Beside `local`, `dev` in its home region and in another one: each goes without a trace, and nothing else does."""
    local = account.named("local")
    assert account.cdk("dev", "bootstrap", f"aws://000000000000/{ELSEWHERE}", region=ELSEWHERE).returncode == 0
    _deployed(account, HOME)
    at_home, logging = account.named("dev"), account.client("apigateway").get_account()["cloudwatchRoleArn"]
    _deployed(account, ELSEWHERE)
    destroyed = account.teardown("dev", region=ELSEWHERE)
    assert (destroyed["code"], set(destroyed["stacks"].values())) == (0, {"DELETE_COMPLETE"}), destroyed
    left = account.named("dev") - at_home
    assert all("-api-Front" in name for name in names(left)), left
    assert (account.named("local"), at_home - account.named("dev")) == (local, set())
    destroyed = account.teardown("dev")
    assert (destroyed["code"], set(destroyed["stacks"].values())) == (0, {"DELETE_COMPLETE"}), destroyed
    assert account.named("local") == local
    assert all("-api-Front" in name for name in names(account.named("dev") | account.named("dev", ELSEWHERE)))
    assert account.client("apigateway").get_account()["cloudwatchRoleArn"] == logging
    tell(f"dev: {len(at_home)} named things in each of two regions; after its teardown the roles of API Gateway's logs")


def _deployed(account: Account, region: str) -> None:
    done = account.deploy("dev", region=region)
    assert done.returncode == 0, done.stdout + done.stderr
