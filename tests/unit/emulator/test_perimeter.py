"""The outermost wrapper of the local cloud: what it answers itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from local.emulator.access.perimeter import guarded

API = "/restapis/a/live/_user_request_/v1/health"


@pytest.mark.parametrize(
    ("path", "state", "answered"),
    [
        (API, "ok", 200),
        (API, "stopping", 503),
        ("/_aws/execute-api/a/live/v1/health", "stopping", 503),
        ("/", "stopping", 200),  # what jobs and endpoints report to their end still arrives
        ("/_local/health", "stopping", 503),
        ("/_ministack/reset", "ok", 403),
    ],
)
def test_callers_of_an_api_are_told_of_a_stop(path: str, state: str, answered: int) -> None:
    """They get a 503, which says when to come back, where a function that starts no more would be a 500 or 502."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def inner(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    asyncio.run(guarded(inner, lambda: {"status": state})({"type": "http", "path": path}, None, send))
    assert sent[0]["status"] == answered
    assert ((b"retry-after", b"5") in sent[0]["headers"]) == (answered == 503)
