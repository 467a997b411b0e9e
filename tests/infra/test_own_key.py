"""The environment's own KMS key: what it encrypts, who may use it, and that nothing changes without it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from conftest import IMAGE_STACK, STACKS
from test_permissions import as_list

from tools.configurations import KEYED

if TYPE_CHECKING:
    from conftest import Assemblies

PROPERTY = {"AWS::Logs::LogGroup": "KmsKeyId", "AWS::SNS::Topic": "KmsMasterKeyId"}
IMPORTED = {"Fn::ImportValue": "text-classifier-prod-key"}


def all_resources(assemblies: Assemblies, env: str = "keyed") -> Iterator[dict[str, Any]]:
    """Every resource of an environment."""
    for stack in (*STACKS, *([IMAGE_STACK] if env == "keyed" else [])):
        yield from assemblies.template(env, stack)["Resources"].values()


def key_statements(assemblies: Assemblies) -> list[dict[str, Any]]:
    """The statements of the key's policy."""
    (key,) = assemblies.resources("keyed", "storage", "AWS::KMS::Key")
    statements: list[dict[str, Any]] = key["Properties"]["KeyPolicy"]["Statement"]
    return statements


def test_the_key_is_renewed_and_outlives_prod(assemblies: Assemblies) -> None:
    """Rotation is on, and destroying prod leaves the key that its kept buckets need; the export has a fixed name."""
    (key,) = assemblies.resources("keyed", "storage", "AWS::KMS::Key")
    assert key["Properties"]["EnableKeyRotation"] is True
    assert key["DeletionPolicy"] == "RetainExceptOnCreate"
    exports = [output.get("Export") for output in assemblies.template("keyed", "storage")["Outputs"].values()]
    assert {"Name": "text-classifier-prod-key"} in exports


def test_every_log_group_and_topic_is_under_the_key(assemblies: Assemblies) -> None:
    """No log group and no topic of any stack is left out, whichever part of the project creates it."""
    found = [resource for resource in all_resources(assemblies) if resource["Type"] in PROPERTY]
    assert {resource["Type"] for resource in found} == set(PROPERTY)
    assert [resource["Properties"].get(PROPERTY[resource["Type"]]) for resource in found] == [IMPORTED] * len(found)


def test_buckets_are_under_the_key_but_for_access_logs(assemblies: Assemblies) -> None:
    """Data and artifacts use the key through a bucket key; S3 could not deliver access logs into such a bucket."""
    for bucket in assemblies.resources("keyed", "storage", "AWS::S3::Bucket"):
        (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        # The bucket that logs elsewhere is not the one that receives the logs.
        if "LoggingConfiguration" not in bucket["Properties"]:
            assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
            continue
        assert rule["BucketKeyEnabled"] is True
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert "Fn::GetAtt" in rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]


@pytest.mark.parametrize("service", ["cloudwatch", "events", "budgets"])
def test_services_may_publish_to_the_encrypted_topic(assemblies: Assemblies, service: str) -> None:
    """Alarms, rules and the budget may use the key, under no condition that they don't meet; else SNS drops them."""
    (statement,) = [
        statement
        for statement in key_statements(assemblies)
        if f"{service}.amazonaws.com" in as_list(statement["Principal"].get("Service"))
    ]
    assert {"kms:Decrypt", "kms:GenerateDataKey*"} <= set(as_list(statement["Action"]))
    assert "Condition" not in statement


def test_logs_may_use_the_key_for_log_groups_of_the_account(assemblies: Assemblies) -> None:
    """CloudWatch Logs of this region encrypts and reads, for log groups of this account alone."""
    (statement,) = [s for s in key_statements(assemblies) if "logs." in json.dumps(s["Principal"])]
    assert {"kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"} <= set(as_list(statement["Action"]))
    condition = json.dumps(statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"])
    assert "AWS::AccountId" in condition and "log-group:*" in condition


def test_the_account_uses_the_key_through_s3_and_sns_alone(assemblies: Assemblies) -> None:
    """The one statement for everybody is bound to this account and to the two services; no role needs a right."""
    (statement,) = [s for s in key_statements(assemblies) if s["Principal"] == {"AWS": "*"}]
    condition = statement["Condition"]["StringEquals"]
    assert condition["kms:CallerAccount"] == {"Ref": "AWS::AccountId"}
    assert condition["kms:ViaService"] == ["s3.us-east-1.amazonaws.com", "sns.us-east-1.amazonaws.com"]


def test_jobs_encrypt_what_they_write(assemblies: Assemblies) -> None:
    """Outputs of training, transform and processing jobs name the key, and the roles of all jobs may use it."""
    template = assemblies.template("keyed", "training")
    workflow = assemblies.machine("keyed", "training")
    (recipe,) = assemblies.resources("keyed", "training", "AWS::SSM::Parameter")
    assert json.dumps(workflow).count("KmsKeyId") == 3  # training, tuning and transform
    assert json.dumps(assemblies.machine("keyed", "bulk")).count("KmsKeyId") == 3  # prepare, transform, join
    assert json.dumps(recipe).count("KmsKeyId") == 1
    may = [
        resource["Properties"]["RoleName"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role" and "kms:GenerateDataKey" in json.dumps(resource)
    ]
    assert sorted(may) == [f"text-classifier-prod-{job}" for job in ("bulk", "evidence", "training")]


def test_jobs_may_read_the_hubs_token_and_no_other_secret(assemblies: Assemblies) -> None:
    """One ARN, in the job's environment and in its right; the key decrypts that secret through its service alone."""
    arn = KEYED["training.hub_token_secret"]
    template = json.dumps(assemblies.template("keyed", "training"))
    assert template.count("HUB_TOKEN_SECRET") == 3  # the workflow's training and tuning jobs, and the recipe
    (role,) = [
        resource["Properties"]
        for resource in assemblies.resources("keyed", "training", "AWS::IAM::Role")
        if resource["Properties"]["RoleName"] == "text-classifier-prod-training"
    ]
    read, decrypt = [
        statement
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if arn in json.dumps(statement)
    ]
    assert (read["Action"], read["Resource"]) == ("secretsmanager:GetSecretValue", arn)
    assert decrypt["Action"] == "kms:Decrypt"
    assert decrypt["Condition"]["StringEquals"] == {
        "kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com",
        "kms:EncryptionContext:SecretARN": arn,
    }
    assert template.count("secretsmanager:GetSecretValue") == 1


def test_without_the_setting_there_is_no_key(assemblies: Assemblies) -> None:
    """An environment as in cdk.json holds no key and refers to none."""
    assert "kms" not in json.dumps(list(all_resources(assemblies, "prod"))).lower()
