"""AWS::ApplicationAutoScaling::* for ministack's CloudFormation: checked and accepted, and nothing scales.

ministack has no Application Auto Scaling. A serverless variant runs one process here and an instance-backed one too,
however many are asked for, so that there is nothing to adjust; but a template with a mistake in it should not pass.
"""

from __future__ import annotations

import logging
from typing import Any

import boto3
from botocore.validate import ParamValidator
from ministack.core.responses import get_region
from ministack.services.cloudformation import provisioners, stacks

from local.emulator.cloudformation.properties import to_parameters
from local.emulator.common.errors import ResourceFailed

logger = logging.getLogger("local.endpoint_scaling")

_TYPES = "AWS::ApplicationAutoScaling::"
TARGET, POLICY = f"{_TYPES}ScalableTarget", f"{_TYPES}ScalingPolicy"


def install() -> None:
    """Register the two types."""
    for type_name, create, replacing in (
        (TARGET, _create_target, ("ResourceId", "ScalableDimension", "ServiceNamespace")),
        (POLICY, _create_policy, ("PolicyName", "ScalingTargetId")),
    ):
        provisioners._RESOURCE_HANDLERS[type_name] = {
            "create": create,
            "update": _updated_by(create),
            "delete": lambda physical_id, properties: None,
        }
        provisioners._REPLACING_PROPERTIES[type_name] = replacing
    on_worker = stacks._runs_on_worker_thread
    # Reading botocore's model of the service takes a moment.
    stacks._runs_on_worker_thread = lambda kind: kind in (TARGET, POLICY) or on_worker(kind)


def _create_target(logical_id: str, properties: dict, stack_name: str) -> tuple[str, dict[str, Any]]:
    request = _checked("RegisterScalableTarget", properties)
    if request["MinCapacity"] > request["MaxCapacity"]:
        raise ResourceFailed("MinCapacity is above MaxCapacity.")
    logger.warning(
        "Stack %s: %s of %s is accepted, and nothing scales: the local cloud runs one process for a variant.",
        stack_name,
        request["ScalableDimension"],
        request["ResourceId"],
    )
    # As Ref gives it on AWS.
    identity = f"{request['ResourceId']}|{request['ScalableDimension']}|{request['ServiceNamespace']}"
    return identity, {"Id": identity}


def _create_policy(logical_id: str, properties: dict, stack_name: str) -> tuple[str, dict[str, Any]]:
    resource, dimension, service = properties["ScalingTargetId"].split("|")
    target = {"ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": service}
    request = _checked("PutScalingPolicy", {**properties, **target})
    arn = f"arn:aws:autoscaling:{get_region()}:000000000000:scalingPolicy:{resource}:policyName/{request['PolicyName']}"
    return arn, {"Arn": arn}


def _updated_by(create: Any) -> Any:
    def update(physical_id: str, old: dict, new: dict, stack_name: str) -> tuple[str, dict[str, Any]]:
        return physical_id, create("", new, stack_name)[1]

    return update


def _checked(operation: str, properties: dict) -> dict[str, Any]:
    """The API's request with these properties. Raises ResourceFailed for one that the API would refuse."""
    client = boto3.client("application-autoscaling", region_name=get_region())
    shape = client.meta.service_model.operation_model(operation).input_shape
    # The stack's tags, which CloudFormation writes otherwise than the API.
    own = {name: value for name, value in properties.items() if name != "Tags"}
    request: dict[str, Any] = to_parameters(own, shape)
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        raise ResourceFailed(f"application-autoscaling:{operation}: {report.generate_report()}")
    return request
