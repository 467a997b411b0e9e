"""EventBridge rules start state machines with the rights of the target's role; ministack starts whatever they name."""

from __future__ import annotations

import logging
from typing import Any

from local.emulator.access import identity
from local.emulator.common.errors import CannotAssumeRoleError
from local.emulator.common.patching import Original, Record

logger = logging.getLogger("local.event_targets")

_PRINCIPAL = "events.amazonaws.com"
_STATES = ":states:"


def invoke_target(original: Original, target: Record, event: Record, rule: Record, view: Any = None) -> None:
    """Check the role of a target that is a state machine, then invoke the target."""
    arn = target.get("Arn", "")
    if _STATES in arn and (problem := _problem(target, rule)):
        # AWS drops such an event as well, and counts it in FailedInvocations.
        logger.warning("Rule %s does not start %s: %s", rule.get("Name", ""), arn, problem)
        return
    original(target, event, rule, view)


def _problem(target: Record, rule: Record) -> str:
    """Return why the rule may not start the target's state machine, or an empty string."""
    role = target.get("RoleArn", "")
    if not role:
        return "the target has no RoleArn."
    try:
        credentials = identity.assume_service_role(role, _PRINCIPAL, rule.get("Name", "rule"))
    except CannotAssumeRoleError as error:
        return str(error)
    return identity.denial(credentials.access_key_id, "states:StartExecution", target["Arn"])
