"""AWS::ApplicationAutoScaling::* for ministack's CloudFormation: checked and accepted, but nothing scales.

ministack has no Application Auto Scaling, and a variant is one process here, however many instances a template asks
for. A template with a mistake in it is refused all the same.
"""

import logging
from collections.abc import Callable

import boto3
from botocore.validate import ParamValidator
from ministack.core.responses import get_region
from ministack.services.cloudformation import provisioners

from local.emulator.cloudformation import resource_types
from local.emulator.cloudformation.resource_types import Created, to_parameters
from local.emulator.common.errors import ResourceFailedError
from local.emulator.common.patching import Record

logger = logging.getLogger("local.endpoint_scaling")

_TYPES = "AWS::ApplicationAutoScaling::"


def register() -> None:
    """Add the two types. Reading botocore's model of the service takes a moment, hence a worker thread."""
    _register("ScalableTarget", _create_target, "ResourceId", "ScalableDimension", "ServiceNamespace")
    _register("ScalingPolicy", _create_policy, "PolicyName", "ScalingTargetId")


def _register(name: str, create: Callable[[str, Record, str], Created], *replacing: str) -> None:
    def update(physical_id: str, old: Record, new: Record, stack_name: str) -> Created:
        return physical_id, create("", new, stack_name)[1]

    type_name = f"{_TYPES}{name}"
    resource_types.register(type_name, create=create, update=update, delete=lambda *_: None, on_worker=True)
    provisioners._REPLACING_PROPERTIES[type_name] = replacing


def _create_target(logical_id: str, properties: Record, stack_name: str) -> Created:
    request = _request("RegisterScalableTarget", properties)
    if request["MinCapacity"] > request["MaxCapacity"]:
        raise ResourceFailedError("MinCapacity is above MaxCapacity.")
    # What Ref returns on AWS.
    physical_id = f"{request['ResourceId']}|{request['ScalableDimension']}|{request['ServiceNamespace']}"
    message = "Stack %s: %s is accepted, but nothing scales: the local cloud runs one process for a variant."
    logger.warning(message, stack_name, physical_id)
    return physical_id, {"Id": physical_id}


def _create_policy(logical_id: str, properties: Record, stack_name: str) -> Created:
    resource, dimension, service = properties["ScalingTargetId"].split("|")
    target = {"ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": service}
    request = _request("PutScalingPolicy", {**properties, **target})
    arn = f"arn:aws:autoscaling:{get_region()}:000000000000:scalingPolicy:{resource}:policyName/{request['PolicyName']}"
    return arn, {"Arn": arn}


def _request(operation: str, properties: Record) -> Record:
    """Return the API's request with these properties. Raises ResourceFailedError for one that the API would refuse."""
    client = boto3.client("application-autoscaling", region_name=get_region())
    shape = client.meta.service_model.operation_model(operation).input_shape
    # Without the stack's tags, which CloudFormation writes in another shape than the API.
    own = {name: value for name, value in properties.items() if name != "Tags"}
    request: Record = to_parameters(own, shape)
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        raise ResourceFailedError(f"application-autoscaling:{operation}: {report.generate_report()}")
    return request
