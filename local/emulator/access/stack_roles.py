"""Whose rights CloudFormation uses: the service role of a stack, or whoever asked for the operation.

ministack never reads ``RoleARN``. Here it is checked (``iam:PassRole``), remembered with the stack as CloudFormation
does (a stack keeps the role it was last given), and offered to the resource types of this package.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, helpers

from local.emulator.access import identity
from local.emulator.common.errors import CannotAssumeRole

_PRINCIPAL = "cloudformation.amazonaws.com"
_CREATE_CHANGE_SET = "CreateChangeSet"
_CHANGING = (
    "CreateStack",
    "UpdateStack",
    "DeleteStack",
    _CREATE_CHANGE_SET,
    "ExecuteChangeSet",
    "RollbackStack",
    "ContinueUpdateRollback",
)
_ROLE = "RoleARN"

_actor: contextvars.ContextVar[str] = contextvars.ContextVar("local_cloudformation_actor", default="")


def install() -> None:
    """Wrap the CloudFormation actions that change stacks, and give IAM the condition key for their role."""
    for action in _CHANGING:
        handlers._ACTION_HANDLERS[action] = _with_role(action, handlers._ACTION_HANDLERS[action])
    tag_context = iam_actions.request_tag_context

    def request_tag_context(service: str, iam_action: str, body: bytes, params: dict) -> dict:
        context = tag_context(service, iam_action, body, params)
        role = iam_actions._query_param(params, _ROLE) if service == "cloudformation" else ""
        return {**context, "cloudformation:RoleArn": role} if role else context

    iam_actions.request_tag_context = request_tag_context


def current_role() -> str:
    """The service role of the operation at hand; ``""`` where it acts with its caller's rights."""
    return _actor.get()


def act_for(role_arn: str) -> None:
    """Let what follows in this context act with a service role (``""``: with the rights of the account's root)."""
    _actor.set(role_arn)


def actor_credentials() -> identity.Credentials:
    """Credentials for the resource operation at hand: the stack's service role, else the caller of the operation."""
    if role := _actor.get():
        return identity.assume_service_role(role, _PRINCIPAL, "AWSCloudFormation")
    return identity.act_as(iam_evaluator.caller_arn())


def _with_role(action: str, handler: Callable[[dict], tuple]) -> Callable[[dict], tuple]:
    def run(params: dict) -> tuple:
        given = helpers._p(params, _ROLE)
        if given and (refusal := _refusal(given)):
            return refusal
        role = given or next((record[_ROLE] for record in _records(params) if record.get(_ROLE)), "")
        token = _actor.set(role)  # the operation's background task copies this context
        try:
            response = handler(params)
        finally:
            _actor.reset(token)
        if role and response[0] < 400:
            for record in _records(params):
                # A change set keeps its role to itself until it is executed.
                if action != _CREATE_CHANGE_SET or "ChangeSetName" in record:
                    record[_ROLE] = role
        return response

    return run


def _refusal(role_arn: str) -> tuple | None:
    """The error answer for a caller who may not pass the role, or for a role CloudFormation cannot take."""
    account, region = get_account_id(), get_region()
    caller = identity.act_as(iam_evaluator.caller_arn())
    denial = identity.may_pass_role(caller.access_key_id, role_arn, _PRINCIPAL, account=account, region=region)
    if denial:
        return helpers._error("AccessDenied", denial.message, 403)
    try:
        identity.check_service_role(role_arn, _PRINCIPAL)
    except CannotAssumeRole:
        return helpers._error("ValidationError", f"Role {role_arn} is invalid or cannot be assumed")
    return None


def _records(params: Mapping[str, Any]) -> list[dict]:
    """The change set, then the stack, that a request names, as far as they exist."""
    stack_name, change_set_name = helpers._p(params, "StackName"), helpers._p(params, "ChangeSetName")
    change_sets = [
        change_set
        for identifier, change_set in cloudformation._change_sets.items()
        if change_set_name in (identifier, change_set["ChangeSetName"])
        and stack_name in ("", change_set["StackName"], change_set["StackId"])
    ]
    names = {stack_name, *(change_set["StackName"] for change_set in change_sets)} - {""}
    stacks = [stack for name, stack in cloudformation._stacks.items() if name in names or stack.get("StackId") in names]
    return change_sets + stacks
