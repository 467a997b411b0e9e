"""Which model serves, and what the registry knows of a model package. This module translates boto3's errors."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.errors import FunctionError
from shared.storage import Recorded

PARAMETER = "ModelPackageArn"
"""Parameter of the serving stack that names the champion."""
NO_ENDPOINT = "none"
"""Value of the parameter while a release makes a lost endpoint anew."""

_NOTHING_SERVES = (
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "REVIEW_IN_PROGRESS",
    "DELETE_COMPLETE",
    "DELETE_IN_PROGRESS",
)
"""States of a stack whose resources were never created or are being deleted."""


@dataclass(frozen=True)
class Artifact:
    """A serving container as a model package names it."""

    image: str
    model_data: str
    environment: Mapping[str, str]

    @property
    def identity(self) -> str:
        """16 hexadecimal digits, equal for artifacts that are the same in every part."""
        environment = json.dumps(dict(self.environment), sort_keys=True)
        return hashlib.sha256(f"{self.model_data}{self.image}{environment}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class ModelPackage:
    """A model package. `artifact` is None where the registry can't name it; `problem` then says why.

    `rows_sha256` is the digest of the test rows that the package was judged on, `baseline_uri` the address of the
    distribution of its answers to them; both are None where they are not recorded. `evidence` are its answers, without
    a digest where an earlier version registered it, to sentences with the digest `test_sha256`.
    """

    package_arn: str
    version: str
    artifact: Artifact | None
    problem: str | None = None
    rows_sha256: str | None = None
    baseline_uri: str | None = None
    evidence: Recorded | None = None
    test_sha256: str | None = None


def find_champion(cloudformation: Any, sagemaker: Any, stack: str) -> ModelPackage | None:
    """Return the package that the stack names; None without stack or package. Raises FunctionError."""
    package_arn = _parameter(cloudformation, stack)
    return describe_package(sagemaker, package_arn) if package_arn else None


def describe_package(sagemaker: Any, package_arn: str) -> ModelPackage:
    """Look a package up with a boto3 SageMaker client."""
    version = package_arn.rpartition("/")[2]
    try:
        package = sagemaker.describe_model_package(ModelPackageName=package_arn)
        container = package["InferenceSpecification"]["Containers"][0]
        artifact = Artifact(container["Image"], container["ModelDataUrl"], container.get("Environment") or {})
    except (ClientError, BotoCoreError) as error:
        problem = f"model package {package_arn} cannot be described: {_explain(error)}"
        return ModelPackage(package_arn, version, None, problem)
    except (KeyError, IndexError) as error:
        return ModelPackage(package_arn, version, None, f"model package {package_arn} names no {error}")
    noted = package.get("CustomerMetadataProperties", {})
    evidence: Recorded | None = None
    if (uri := noted.get("evidence", "")).startswith("s3://"):
        number, digest = noted.get("evidence_version", ""), noted.get("evidence_sha256", "")
        evidence = {"uri": uri, "version": number, "sha256": digest}
    baseline = package.get("DriftCheckBaselines", {}).get("ModelDataQuality", {}).get("Statistics", {}).get("S3Uri")
    return ModelPackage(
        package_arn,
        version,
        artifact,
        rows_sha256=noted.get("rows_sha256"),
        baseline_uri=baseline,
        evidence=evidence,
        test_sha256=noted.get("test_sha256"),
    )


def _parameter(cloudformation: Any, stack: str) -> str:
    try:
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except (ClientError, BotoCoreError) as error:
        # CloudFormation has no code of its own for a stack that does not exist.
        if "ValidationError" in str(error) and "does not exist" in str(error):
            return ""
        problem = f"cannot tell which model serves: stack {stack} cannot be described: {_explain(error)}."
        raise FunctionError(f"{problem} Check this function's role.") from error
    if described["StackStatus"] in _NOTHING_SERVES:
        return ""
    values = {entry["ParameterKey"]: entry["ParameterValue"] for entry in described.get("Parameters", [])}
    value = str(values.get(PARAMETER, "")).strip()
    return "" if value == NO_ENDPOINT else value


def _explain(error: Exception) -> str:
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        return f"{details.get('Code', 'unknown')}: {details.get('Message', '')}".rstrip(": ")
    return str(error)
