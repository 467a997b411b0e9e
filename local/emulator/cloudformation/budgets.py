"""AWS::Budgets::Budget for ministack's CloudFormation. Nothing costs anything here, so nobody is ever notified."""

import json

import boto3
from ministack.services import budgets
from ministack.services.cloudformation import provisioners

from local.emulator.cloudformation import resource_types
from local.emulator.cloudformation.resource_types import Created, to_parameters
from local.emulator.common.errors import ResourceFailedError
from local.emulator.common.patching import Answer, Record

_TYPE = "AWS::Budgets::Budget"


def register() -> None:
    """Add the type. A budget with another name is another budget."""
    resource_types.register(_TYPE, create=_create, update=_update, delete=_delete)


def _create(logical_id: str, props: Record, stack_name: str) -> Created:
    name = props["Budget"].get("BudgetName") or provisioners._physical_name(stack_name, logical_id, max_len=100)
    operation = boto3.client("budgets", region_name="us-east-1").meta.service_model.operation_model("CreateBudget")
    request = {
        "Budget": {**props["Budget"], "BudgetName": name},
        "NotificationsWithSubscribers": props.get("NotificationsWithSubscribers") or [],
        "ResourceTags": props.get("ResourceTags") or [],
    }
    _check(budgets._create_budget(to_parameters(request, operation.input_shape)))
    return name, {}


def _update(physical_id: str, old: Record, new: Record, stack_name: str) -> Created:
    """Replace the budget: its notifications have calls of their own, one for each change."""
    name = new["Budget"].get("BudgetName") or physical_id
    _delete(name, new)
    created = _create("", {**new, "Budget": {**new["Budget"], "BudgetName": name}}, stack_name)
    if name != physical_id:
        _delete(physical_id, old)
    return created


def _delete(physical_id: str, props: Record) -> None:
    if physical_id in budgets._budgets:
        _check(budgets._delete_budget({"BudgetName": physical_id}))


def _check(answer: Answer) -> None:
    status, _, body = answer
    if status >= 400:
        raise ResourceFailedError(f"{_TYPE}: {json.loads(body).get('message') or body!r}")
