"""Which model serves, as CloudFormation and the registry say. Errors of boto3 end here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from gate.artifact import Artifact
from gate.errors import ServingUnknown

PARAMETER = "ModelPackageArn"

_NOTHING_SERVES = (
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "REVIEW_IN_PROGRESS",
    "DELETE_COMPLETE",
    "DELETE_IN_PROGRESS",
)
"""States of a stack whose resources were never made, or go."""


@dataclass(frozen=True)
class Champion:
    """The package that serves. ``artifact`` is None where it can't be scored; then ``problem`` says why."""

    package_arn: str
    version: str
    artifact: Artifact | None
    problem: str | None = None
    rows_sha256: str | None = None
    """Of the test rows that it was judged on; None where that is not recorded."""
    baseline_uri: str | None = None
    """How its answers to them are distributed; None where that is not recorded."""


def find_champion(cloudformation: Any, sagemaker: Any, stack: str) -> Champion | None:
    """The champion: the parameter of the serving stack.

    Args:
        cloudformation: boto3 client.
        sagemaker: boto3 client.
        stack: name of the serving stack.

    Returns:
        None where there is no such stack, or it serves no package.

    Raises:
        ServingUnknown: the stack can't be described.
    """
    package_arn = _parameter(cloudformation, stack)
    if not package_arn:
        return None
    version = package_arn.rpartition("/")[2]
    try:
        package = sagemaker.describe_model_package(ModelPackageName=package_arn)
        container = package["InferenceSpecification"]["Containers"][0]
        artifact = Artifact(container["Image"], container["ModelDataUrl"], container.get("Environment") or {})
    except (ClientError, BotoCoreError) as error:
        return Champion(package_arn, version, None, f"model package {package_arn} cannot be described: {_said(error)}")
    except (KeyError, IndexError) as error:
        return Champion(package_arn, version, None, f"model package {package_arn} names no {error}")
    judged_on = package.get("CustomerMetadataProperties", {}).get("rows_sha256")
    baseline = package.get("DriftCheckBaselines", {}).get("ModelDataQuality", {}).get("Statistics", {}).get("S3Uri")
    return Champion(package_arn, version, artifact, rows_sha256=judged_on, baseline_uri=baseline)


def _parameter(cloudformation: Any, stack: str) -> str:
    try:
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
            return ""
        raise ServingUnknown(stack, f"cannot be described: {_said(error)}") from error
    except BotoCoreError as error:
        raise ServingUnknown(stack, f"cannot be described: {error}") from error
    if described["StackStatus"] in _NOTHING_SERVES:
        return ""
    values = {entry["ParameterKey"]: entry["ParameterValue"] for entry in described.get("Parameters", [])}
    return str(values.get(PARAMETER, "")).strip()


def _said(error: Exception) -> str:
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        return f"{details.get('Code', 'unknown')}: {details.get('Message', '')}".rstrip(": ")
    return str(error)
