"""Resource types that are checked and accepted but do nothing here: budgets, scaling, networks, identity providers.

Nothing costs anything, and a variant is one process, however many instances a template asks for. Nobody checks who
signed a token. A template with a mistake in it is refused all the same.
"""

import logging
from collections.abc import Callable

import boto3
from botocore.validate import ParamValidator
from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners

from local.emulator.cloudformation import resource_types
from local.emulator.cloudformation.resource_types import Created, to_parameters
from local.emulator.common.errors import ResourceFailedError
from local.emulator.common.patching import Record

logger = logging.getLogger("local.accepted_types")

_SCALING = "AWS::ApplicationAutoScaling::"


def register() -> None:
    """Add the types. Reading botocore's model of a service takes a moment, hence a worker thread."""
    _register("AWS::Budgets::Budget", _create_budget)
    _register("AWS::EC2::SecurityGroupIngress", _create_rule, "GroupId", "SourceSecurityGroupId", "IpProtocol")
    _register("AWS::IAM::OIDCProvider", _create_provider, "Url")
    _register(f"{_SCALING}ScalableTarget", _create_target, "ResourceId", "ScalableDimension", "ServiceNamespace")
    _register(f"{_SCALING}ScalingPolicy", _create_policy, "PolicyName", "ScalingTargetId")


def _register(type_name: str, create: Callable[[str, Record, str], Created], *replacing: str) -> None:
    def update(physical_id: str, old: Record, new: Record, stack_name: str) -> Created:
        return physical_id, create("", new, stack_name)[1]

    resource_types.register(type_name, create=create, update=update, delete=lambda *_: None, on_worker=True)
    provisioners._REPLACING_PROPERTIES[type_name] = replacing


def _create_budget(logical_id: str, properties: Record, stack_name: str) -> Created:
    name = properties["Budget"].get("BudgetName") or provisioners._physical_name(stack_name, logical_id, max_len=100)
    budget = {**properties["Budget"], "BudgetName": name}
    _request("budgets", "CreateBudget", {"AccountId": get_account_id(), **properties, "Budget": budget})
    return name, {}


def _create_rule(logical_id: str, properties: Record, stack_name: str) -> Created:
    _request("ec2", "AuthorizeSecurityGroupIngress", properties)
    return f"{properties['GroupId']}-{logical_id}", {}


def _create_provider(logical_id: str, properties: Record, stack_name: str) -> Created:
    _request("iam", "CreateOpenIDConnectProvider", {**properties, "ClientIDList": properties.get("ClientIdList", [])})
    arn = f"arn:aws:iam::{get_account_id()}:oidc-provider/{properties['Url'].removeprefix('https://')}"
    return arn, {"Arn": arn}


def _create_target(logical_id: str, properties: Record, stack_name: str) -> Created:
    request = _request("application-autoscaling", "RegisterScalableTarget", properties)
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
    request = _request("application-autoscaling", "PutScalingPolicy", {**properties, **target})
    arn = f"arn:aws:autoscaling:{get_region()}:000000000000:scalingPolicy:{resource}:policyName/{request['PolicyName']}"
    return arn, {"Arn": arn}


def _request(service: str, operation: str, properties: Record) -> Record:
    """Return the API's request with these properties. Raises ResourceFailedError for one that the API would refuse."""
    shape = boto3.client(service, region_name=get_region()).meta.service_model.operation_model(operation).input_shape
    # Without the stack's tags, which CloudFormation writes in another shape than the API.
    own = {name: value for name, value in properties.items() if name != "Tags"}
    request: Record = to_parameters(own, shape)
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        raise ResourceFailedError(f"{service}:{operation}: {report.generate_report()}")
    return request
