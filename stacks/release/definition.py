"""The release workflow: `workflow.asl.yaml`, filled in for an environment."""

from pathlib import Path
from typing import Any

from stacks.common.filled_document import filled
from stacks.common.states_language import SHARED
from stacks.release.parts import ReleaseParts
from stacks.serving.champion import NO_ENDPOINT, PARAMETER, PENDING, STACK_CHAMPION, STACK_STATUS

WORKFLOW = Path(__file__).with_name("workflow.asl.yaml")

TIMEOUT_SECONDS = 4 * 3600
"""Backstop timeout: every wait ends by itself before it."""
TURN_SECONDS = 45 * 60
"""A request that hasn't had its turn by then gives up, so that somebody looks at the ones before it."""
SETTLE_SECONDS = 30 * 60
"""How long to wait for a stack that somebody else is changing."""
CLEAR_SECONDS = 15 * 60
"""How long to wait until a missing endpoint is out of the stack."""
UPDATE_SECONDS = 60 * 60
"""How long to wait for an endpoint's update before the champion is restored."""
PUT_BACK_SECONDS = 60 * 60
"""Keep trying to restore the champion for this long after a release has failed."""


def release_definition(parts: ReleaseParts) -> dict[str, Any]:
    """Return the whole state machine."""
    values = {
        "parameter": PARAMETER,
        "no_endpoint": NO_ENDPOINT,
        "stack_status": STACK_STATUS,
        "stack_champion": STACK_CHAMPION,
        "pending": PENDING,
        # Without a hub model, a stack that names no package has no endpoint yet.
        "lost": "${gone}" if parts.hub_model else '${gone} and $serving != ""',
        "served_before": "" if parts.hub_model else ' and $champion != ""',
        "timeout_seconds": TIMEOUT_SECONDS,
        "turn_seconds": TURN_SECONDS,
        "turn_minutes": TURN_SECONDS // 60,
        "settle_seconds": SETTLE_SECONDS,
        "clear_seconds": CLEAR_SECONDS,
        "update_seconds": UPDATE_SECONDS,
        "update_minutes": UPDATE_SECONDS // 60,
        "put_back_seconds": PUT_BACK_SECONDS,
    }
    return filled(WORKFLOW, SHARED | vars(parts), values)
