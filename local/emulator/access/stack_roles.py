"""Whose rights CloudFormation uses: a stack's service role, or those of the caller of the operation.

ministack never reads `RoleARN`. This module checks it (`iam:PassRole`), stores it with the stack as CloudFormation
does (a stack keeps the role it was last given), and offers it to the resource types of this package.
"""

import contextvars
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services.cloudformation import changesets, handlers, helpers

from local.emulator.access import identity
from local.emulator.common.errors import CannotAssumeRoleError
from local.emulator.common.patching import Original, Record

# Those that take a role.
ACTIONS = (
    *("CreateStack", "UpdateStack", "DeleteStack", "RollbackStack", "ContinueUpdateRollback"),
    *("CreateChangeSet", "ExecuteChangeSet"),
)

_PRINCIPAL = "cloudformation.amazonaws.com"
_ROLE = "RoleARN"

# The service role of the operation at hand; empty where it acts with its caller's rights.
ACTOR: contextvars.ContextVar[str] = contextvars.ContextVar("local_cloudformation_actor", default="")


def request_tag_context(original: Original, service: str, iam_action: str, body: bytes, params: Record) -> Record:
    """Add the condition key `cloudformation:RoleArn` to those of the request."""
    context: Record = original(service, iam_action, body, params)
    role = iam_actions._query_param(params, _ROLE) if service == "cloudformation" else ""
    return {**context, "cloudformation:RoleArn": role} if role else context


def with_role(original: Original, params: Record) -> Any:
    """Carry out a CloudFormation action with the service role given, else with the one that the stack has."""
    given = helpers._p(params, _ROLE)
    if given and (refusal := _refusal(given)):
        return refusal
    role = given or next((record[_ROLE] for record in _records(params) if record.get(_ROLE)), "")
    token = ACTOR.set(role)  # the operation's background task copies this context
    try:
        response = original(params)
    finally:
        ACTOR.reset(token)
    if role and response[0] < 400:
        creates_change_set = helpers._p(params, "Action") == "CreateChangeSet"
        for record in _records(params):
            # Until a change set is executed, its role is not the stack's.
            if not creates_change_set or "ChangeSetName" in record:
                record[_ROLE] = role
    return response


def describe_role(original: Original, stack: Record) -> str:
    """Let DescribeStacks name the stack's role; ministack's answer ends with what `original` gives."""
    role = f"<RoleARN>{stack[_ROLE]}</RoleARN>" if stack.get(_ROLE) else ""
    return f"{original(stack)}{role}"


def actor_credentials() -> identity.Credentials:
    """Return credentials for the operation at hand: of the stack's service role, else of the operation's caller."""
    if role := ACTOR.get():
        return identity.assume_service_role(role, _PRINCIPAL, "AWSCloudFormation")
    return identity.act_as(iam_evaluator.caller_arn())


def _refusal(role_arn: str) -> Any:
    """Return the error answer for a role that the caller may not pass or CloudFormation cannot assume, or None."""
    caller = identity.act_as(iam_evaluator.caller_arn())
    if message := identity.pass_role_denial(caller.access_key_id, role_arn, _PRINCIPAL):
        return helpers._error("AccessDenied", message, 403)
    try:
        identity.check_service_role(role_arn, _PRINCIPAL)
    except CannotAssumeRoleError:
        return helpers._error("ValidationError", f"Role {role_arn} is invalid or cannot be assumed")
    return None


def _records(params: Record) -> list[Record]:
    """Return the change set, then the stack, that a request names, as far as they exist."""
    given = helpers._p(params, "StackName")
    stack = handlers._resolve_stack(given)  # by name or id
    name = stack["StackName"] if stack else given  # the CDK gives the change sets of all stacks one name
    _, change_set = changesets._find_change_set(helpers._p(params, "ChangeSetName"), name)
    stack = stack or handlers._resolve_stack((change_set or {}).get("StackName"))
    # ministack keeps deleted stacks; a new one of the name does not inherit the role.
    gone = bool(stack) and stack["StackStatus"] == "DELETE_COMPLETE"
    return [record for record in (change_set, None if gone else stack) if record]
