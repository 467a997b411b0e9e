"""The outbox: order, batches and failed deliveries."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from local.sagemaker.common.names import Scope
from local.sagemaker.state.outbox import Outbox

SCOPE = Scope("000000000000", "us-east-1")


class OneList:
    """The part of the surroundings that takes logs and events; notes both in one list."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.broken = False

    def put_log(self, scope: Scope, group: str, stream: str, lines: Any) -> None:
        if self.broken:
            raise ZeroDivisionError("oops")
        self.seen.append([stream, *(message for _, message in lines)])

    def put_event(self, scope: Scope, detail_type: str, detail: Any, resource: str) -> None:
        self.seen.append(detail_type)


@pytest.fixture
def surroundings() -> Any:
    return OneList()


def test_lines_leave_in_batches_before_later_events(surroundings: Any) -> None:
    """The lines of a stream leave together; an event never overtakes a line that was queued before it."""
    outbox, queued = Outbox(surroundings), threading.Event()
    outbox.put("nothing before all is queued", queued.wait)
    for number in range(3):
        outbox.line(SCOPE, "group", "a", f"line {number}")
        outbox.line(SCOPE, "group", "b", f"other {number}")
    outbox.put("event", lambda: surroundings.put_event(SCOPE, "Ended", {}, "arn"))
    queued.set()
    outbox.flush()
    assert surroundings.seen == [
        ["a", "line 0", "line 1", "line 2"],
        ["b", "other 0", "other 1", "other 2"],
        "Ended",
    ]


def test_a_failed_delivery_does_not_stop_the_next(surroundings: Any) -> None:
    """A failed delivery of logs has no other effect."""
    surroundings.broken = True
    outbox = Outbox(surroundings)
    outbox.line(SCOPE, "group", "a", "lost")
    outbox.put("event", lambda: surroundings.put_event(SCOPE, "Ended", {}, "arn"))
    outbox.flush()
    assert surroundings.seen == ["Ended"]
