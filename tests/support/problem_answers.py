"""The problem that a caller gets, and the line that the API's Lambda logs about it."""

from __future__ import annotations

import json
import time
from typing import Any

import requests

LONGEST_ANSWER_SECONDS = 29.0  # API Gateway's own limit


def assert_problem(answer: requests.Response, status: int, code: str, *, retry_after: bool) -> dict[str, Any]:
    """Check status, code, CORS, and that the answer came within the gateway's limit; return the problem."""
    assert answer.status_code == status, answer.text
    problem: dict[str, Any] = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["code"] == code
    assert ("Retry-After" in answer.headers) is retry_after
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.elapsed.total_seconds() < LONGEST_ANSWER_SECONDS
    return problem


def logged(project: Any, request_id: str) -> dict[str, Any]:
    """Return the line that the predict Lambda logged about a request of the last two minutes."""
    logs, deadline = project.client("logs"), time.monotonic() + 20
    recently = int((time.time() - 120) * 1000)
    while time.monotonic() < deadline:
        found = logs.filter_log_events(
            logGroupName="/aws/lambda/text-classifier-local-predict",
            startTime=recently,
            filterPattern=f'"{request_id}"',
            limit=10_000,
        )
        for event in reversed(found["events"]):
            if request_id in event["message"] and '"correlation_id"' in event["message"]:
                line: dict[str, Any] = json.loads(event["message"][event["message"].index("{") :])
                return line
        time.sleep(0.5)
    raise AssertionError(f"no line about {request_id}")
