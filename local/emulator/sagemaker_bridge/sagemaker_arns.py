"""The resources of a SageMaker request, as IAM authorises them. Pure functions, no ministack."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from local.sagemaker.common.names import Key, Scope, last_part

INVOCATION_PATH = re.compile(r"^/endpoints/([^/]+)/invocations/?$")  # path of InvokeEndpoint (runtime plane)
# Longer nouns first: an action is about the first one that it ends with.
_JOBS = ("HyperParameterTuningJob", "TrainingJob", "ProcessingJob", "TransformJob")
_NOUNS = (*_JOBS, "EndpointConfig", "Endpoint", "ModelPackageGroup", "ModelPackage", "Model")
_PASSED_ROLES = {**{f"Create{job}": "RoleArn" for job in _JOBS[:3]}, "CreateModel": "ExecutionRoleArn"}


def resource_arn(action: str, params: Mapping[str, Any], scope: Scope) -> str:
    """Return the ARN that the action is authorised on; `*` for actions without a resource (`List…`)."""
    if action in ("AddTags", "DeleteTags", "ListTags"):
        return str(params.get("ResourceArn") or "*")
    if action in ("CreateModelPackage", "ListModelPackages") and params.get("ModelPackageGroupName"):
        # No version, or not known yet. AWS's reference knows packages alone as what is listed.
        return _arn("model-package", f"{last_part(params['ModelPackageGroupName'])}/*", scope)
    if action.startswith("List") and "For" not in action:
        return "*"
    if action == "UpdateModelPackage":
        return str(params.get("ModelPackageArn") or "*")
    noun = next((noun for noun in _NOUNS if action.endswith(noun)), "")
    value = str((noun and params.get(f"{noun}Name")) or "*")
    if value == "*" or value.startswith("arn:"):
        return value
    return _arn(re.sub(r"(?<!^)(?=[A-Z])", "-", noun).lower(), value, scope)


def invocation_arn(path: str, scope: Scope) -> str:
    """Return the ARN of the endpoint that a runtime path names; `*` for another path."""
    match = INVOCATION_PATH.match(path)
    return _arn("endpoint", unquote(match.group(1)), scope) if match else "*"


def further_checks(action: str, params: Mapping[str, Any], scope: Scope) -> list[tuple[str, str]]:
    """Return the (action, resource) pairs that AWS checks besides the action itself.

    Source: the Service Authorization Reference for SageMaker (required resource types, dependent actions); for a model
    made from a package "Deploy a Model Version from a Different Account" in its developer guide.
    """
    checks = []
    if named := (params.get("PrimaryContainer") or {}).get("ModelPackageName"):
        checks.append((f"sagemaker:{action}", resource_arn("DescribeModelPackage", {"ModelPackageName": named}, scope)))
    if action in ("CreateEndpoint", "UpdateEndpoint") and params.get("EndpointConfigName"):
        checks.append((f"sagemaker:{action}", _arn("endpoint-config", str(params["EndpointConfigName"]), scope)))
    if action.startswith("Create") and params.get("Tags"):
        checks.append(("sagemaker:AddTags", resource_arn(action, params, scope)))
    return checks


def passed_role(action: str, params: Mapping[str, Any]) -> str | None:
    """Return the role that the request passes to SageMaker, which needs `iam:PassRole`."""
    given = params.get("TrainingJobDefinition") or params
    return given.get(_PASSED_ROLES.get(action, "")) or None


def _arn(kind: str, name: str, scope: Scope) -> str:
    # SageMaker lower-cases the names of jobs and endpoints in ARNs; model packages keep theirs.
    return Key(kind, scope, name if kind.startswith("model-package") else name.lower()).arn
