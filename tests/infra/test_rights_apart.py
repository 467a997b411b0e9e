"""No role of one environment reaches anything of another in the same account, by the local cloud's own decisions."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from template_values import ACCOUNT, KEY_ARN, REGION, TemplateValues

Configurations = dict[str, dict[str, Any]]
Statement = dict[str, Any]
INTERPRETER = os.environ.get("LOCAL_CLOUD_PYTHON") or str(ROOT / ".venv-cloud" / "bin" / "python")
EVERYWHERE = {
    # AWS generates a scalable target's id, so that no pattern of it tells the environments apart.
    ("release", "application-autoscaling:"),
    # CloudFormation looks for alarms by name before it makes them.
    ("release", "cloudwatch:DescribeAlarms"),
}
"""Last part of a role's name, and beginning of the actions that AWS cannot hold to one environment."""


def own(text: str, env: str) -> str:
    """A document with the names that CloudFormation and KMS would generate for this environment."""
    text = text.replace("arn:aws:s3:::", f"arn:aws:s3:::{env}-").replace(f"{env}-cdk-", "cdk-")
    return text.replace(KEY_ARN, key(env))


def key(env: str) -> str:
    """ARN of the environment's own key."""
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{env}"


def roles(stacks: dict[str, Any], env: str) -> dict[str, list[Statement]]:
    """The statements of each role's policies, without those on `*`: what has no resources is in docs/rights.md."""
    found: dict[str, list[Statement]] = {}
    for template in stacks.values():
        values = TemplateValues(template, list(stacks.values()))
        for resource in template["Resources"].values():
            properties = resource.get("Properties", {})
            held = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            holders = [properties.get("RoleName")]
            if resource["Type"] == "AWS::IAM::Policy":
                held = [properties["PolicyDocument"]]
                holders = [values.resolve(role) for role in properties["Roles"]]
            statements = [values.resolve(one) for document in held for one in document["Statement"]]
            for holder in holders if statements else []:
                found.setdefault(holder, []).extend(one for one in statements if one["Resource"] != "*")
    result: dict[str, list[Statement]] = json.loads(own(json.dumps(found), env))
    return result


def things(stacks: dict[str, Any], env: str) -> Iterator[str]:
    """ARNs of what an environment has, and of what its jobs and releases make and its data consists of."""
    prefix = f"text-classifier-{env}"
    place = f"{REGION}:{ACCOUNT}"
    for name, template in stacks.items():
        yield f"arn:aws:cloudformation:{place}:stack/{name}/5f1c"
        values = TemplateValues(template, list(stacks.values()))
        for logical_id, resource in template["Resources"].items():
            if resource["Type"] in ("AWS::SNS::Topic", "AWS::StepFunctions::StateMachine"):
                yield values.resolve({"Ref": logical_id})
            elif resource["Type"] in KINDS and set(resource["Properties"]) & set(KINDS[resource["Type"]]):
                yield own(values.resolve({"Fn::GetAtt": [logical_id, "Arn"]}), env).removesuffix(":*")
    yield from (f"arn:aws:sagemaker:{place}:{one}" for one in (
        f"training-job/{prefix}-20261127-101500-0a1b2c", f"transform-job/{prefix}-evidence-1",
        f"model/{prefix}--1-0a1b2c", f"model/{prefix}-evidence-1", f"endpoint/{prefix}",
        f"endpoint-config/{prefix}--1-0a1b2c", f"endpoint/{prefix}-instances",
        f"model-package-group/{prefix}", f"model-package/{prefix}/7",
    ))  # fmt: skip
    yield from (f"arn:aws:logs:{place}:log-group:{one}:log-stream:1" for one in (
        f"/aws/lambda/{prefix}-predict", f"/aws/sagemaker/Endpoints/{prefix}", f"/aws/codebuild/{prefix}-image",
    ))  # fmt: skip
    yield from (f"arn:aws:s3:::{env}-{one}" for one in (
        "artifacts", "data", "logs", "artifacts/training/job/output/model.tar.gz", "artifacts/models/0a1b/model.tar.gz",
        "artifacts/training/job/output/output.tar.gz", "artifacts/training/job/checkpoints/1/model.safetensors",
        "artifacts/training/job/evaluation/1/verdict.json", "artifacts/training/job/evaluation/1/baseline.json",
        "artifacts/evidence/0a1b/sentences.jsonl", "artifacts/evidence/0a1b/1/sentences.jsonl.out",
        "data/datasets/0a1b/train/train.jsonl", "data/datasets/latest/train/train.jsonl", "data/source/train.jsonl",
        "data/base-model/model.safetensors", "logs/artifacts/1",
    ))  # fmt: skip
    yield f"arn:aws:ssm:{place}:parameter/{prefix}/training-recipe"
    yield f"arn:aws:cloudwatch:{place}:alarm:{prefix}-errors"
    yield f"arn:aws:events:{place}:rule/{prefix}-release"
    yield f"arn:aws:secretsmanager:{place}:secret:{env}-token-Ab1Cd2"
    yield f"arn:aws:application-autoscaling:{place}:scalable-target/0ec5{env}"
    yield key(env)


KINDS = {
    "AWS::IAM::Role": ["RoleName"],
    "AWS::Lambda::Function": ["FunctionName"],
    "AWS::Logs::LogGroup": ["LogGroupName"],
    "AWS::ECR::Repository": ["RepositoryName"],
    "AWS::CodeBuild::Project": ["Name"],
}


def reached(principals: dict[str, list[Statement]], wanted: list[str], env: str) -> set[tuple[str, str, str]]:
    """What the principals may do to the things of another environment, `env`, whose requests carry its own keys."""
    context = {
        "iam:PassedToService": "sagemaker.amazonaws.com",
        "cloudformation:RoleArn": f"arn:aws:iam::{ACCOUNT}:role/text-classifier-{env}-release",
        "s3:prefix": "training/",
        "kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com",
        "kms:EncryptionContext:SecretARN": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{env}-token-Ab1Cd2",
        "application-autoscaling:service-namespace": "sagemaker",
        "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
    }
    given = json.dumps({"principals": principals, "things": wanted, "context": context})
    command = [INTERPRETER, str(Path(__file__).with_name("reach.py"))]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {tuple(one) for one in json.loads(done.stdout)}


@pytest.mark.parametrize("options", ["plain", "all-keyed"])
@pytest.mark.parametrize(("env", "other"), [("dev", "prod"), ("prod", "dev"), ("local", "dev")])
def test_no_role_reaches_another_environment(
    configurations: Configurations, env: str, other: str, options: str
) -> None:
    """Each role of one, tried on each thing of the other with each of its actions, is refused; on its own it is not."""
    principals = roles(configurations[f"{env}-{options}"], env)
    mine, others = (list(things(configurations[f"{one}-{options}"], one)) for one in (env, other))
    assert len(principals) > 13 and len(others) > 60
    found = reached(principals, others, other)
    wide = {(f"text-classifier-{env}-{role}", action) for role, action in EVERYWHERE}
    assert [one for one in found if not any(one[0] == role and one[1].startswith(what) for role, what in wide)] == []
    assert len(reached(principals, mine, env)) > 100


def test_a_longer_name_is_another_environments(configurations: Configurations) -> None:
    """`dev` changes nothing of `dev-two`, whose names begin as its own do; it may describe a job, to judge it."""
    prod = json.dumps(configurations["prod-plain"])
    others = list(things(json.loads(prod.replace("text-classifier-prod", "text-classifier-dev-two")), "dev-two"))
    found = reached(roles(configurations["dev-plain"], "dev"), others, "dev-two")
    assert {(who, action) for who, action, _ in found} == {
        ("text-classifier-dev-launch", "sagemaker:DescribeTrainingJob")
    }


def test_a_right_too_wide_is_noticed(configurations: Configurations) -> None:
    """One pattern that fits both environments is found, in each kind of data."""
    others = list(things(configurations["prod-all-keyed"], "prod"))
    for action, resource in (
        ("s3:GetObject", "arn:aws:s3:::*-data/*"),
        ("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/*"),
        ("sagemaker:DescribeTrainingJob", f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/*"),
        ("sagemaker:DescribeModelPackage", f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/text-classifier-*"),
        ("logs:GetLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/*"),
        ("ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/*"),
        ("kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*"),
    ):
        wide = {"Effect": "Allow", "Action": action, "Resource": resource}
        assert reached({"wide": [wide]}, others, "prod"), action
