"""EventBridge rules start state machines with the rights of the target's role, and not otherwise.

ministack starts whatever a rule names.
"""

from __future__ import annotations

import logging
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge

from local.emulator.access import identity
from local.emulator.common.errors import CannotAssumeRole

logger = logging.getLogger("local.event_targets")

_PRINCIPAL = "events.amazonaws.com"
_STATES = ":states:"


def install() -> None:
    """Put the role in front of every target that is a state machine."""
    invoke_target = eventbridge._invoke_target

    def _invoke_target(target: dict, event: dict, rule: dict, view: Any = None) -> None:
        arn = target.get("Arn", "")
        if _STATES in arn and (problem := _problem(target, rule)):
            # On AWS such an event is dropped as well, and counted in FailedInvocations.
            logger.warning("Rule %s does not start %s: %s", rule.get("Name", ""), arn, problem)
            return
        invoke_target(target, event, rule, view)

    eventbridge._invoke_target = _invoke_target


def _problem(target: dict, rule: dict) -> str:
    """Why the rule may not start the target's state machine; ``""`` if it may."""
    role = target.get("RoleArn", "")
    if not role:
        return "the target has no RoleArn."
    try:
        credentials = identity.assume_service_role(role, _PRINCIPAL, rule.get("Name", "rule"))
    except CannotAssumeRole as error:
        return str(error)
    denial = identity.decide(
        credentials.access_key_id, "states:StartExecution", target["Arn"], account=get_account_id(), region=get_region()
    )
    return denial.message if denial else ""
