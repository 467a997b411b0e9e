"""AWS::Budgets::Budget for ministack's CloudFormation. Nothing costs anything here, so nobody is ever notified."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import boto3
from ministack.services import budgets
from ministack.services.cloudformation import provisioners

from local.emulator.cloudformation.properties import to_parameters
from local.emulator.common.errors import ResourceFailed

_TYPE = "AWS::Budgets::Budget"


def install() -> None:
    """Register the type. A budget is changed in place; another name makes another budget."""
    provisioners._RESOURCE_HANDLERS[_TYPE] = {"create": _create, "update": _update, "delete": _delete}


def _create(logical_id: str, props: dict, stack_name: str) -> tuple[str, dict[str, Any]]:
    request = _request(props, provisioners._physical_name(stack_name, logical_id, max_len=100))
    _checked(budgets._create_budget(request))
    return request["Budget"]["BudgetName"], {}


def _update(physical_id: str, old: dict, new: dict, stack_name: str) -> tuple[str, dict[str, Any]]:
    request = _request(new, physical_id)
    name = request["Budget"]["BudgetName"]
    # Notifications have calls of their own, one a change; here the budget is simply made anew.
    _delete(name, new)
    _checked(budgets._create_budget(request))
    if name != physical_id:
        _delete(physical_id, old)
    return name, {}


def _delete(physical_id: str, props: dict) -> None:
    if physical_id in budgets._budgets:
        _checked(budgets._delete_budget({"BudgetName": physical_id}))


def _request(props: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The properties as a CreateBudget request."""
    model = boto3.client("budgets", region_name="us-east-1").meta.service_model
    shape = model.operation_model("CreateBudget").input_shape
    budget = {**props["Budget"], "BudgetName": props["Budget"].get("BudgetName") or name}
    notifications = props.get("NotificationsWithSubscribers") or []
    request: dict[str, Any] = to_parameters(
        {
            "Budget": budget,
            "NotificationsWithSubscribers": notifications,
            "ResourceTags": props.get("ResourceTags") or [],
        },
        shape,
    )
    return request


def _checked(answer: tuple) -> None:
    status, _, body = answer
    if status >= 400:
        raise ResourceFailed(f"{_TYPE}: {json.loads(body).get('message') or body!r}")
