"""API Gateway's proxy events (payload version 1.0) as a request, and a response as what the gateway takes.

Powertools has a resolver for this. It is not used here: importing it takes longer than everything else this Lambda
loads beyond boto3, and seven routes need no framework (docs/decisions/0009-api-contract.md).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from predict.errors import InvalidRequestError


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request."""

    method: str
    route: str
    """Path of the gateway's resource, e.g. ``/v1/predictions``, whatever domain and stage it was reached under."""
    request_id: str
    headers: Mapping[str, str]
    """Names in lower case."""
    query: Mapping[str, str]
    body: str | None
    """None without one."""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Request:
        """Read an event. Raises InvalidRequestError for a body that is no text."""
        body = event.get("body")
        if body is not None and event.get("isBase64Encoded"):
            try:
                body = base64.b64decode(body, validate=True).decode()
            except ValueError as error:  # not base64, or not UTF-8 in it
                raise InvalidRequestError("The body is not UTF-8 text.") from error
        return cls(
            method=event["httpMethod"],
            route=event["resource"],
            request_id=request_id(event),
            headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
            query=event.get("queryStringParameters") or {},
            body=body,
        )


@dataclass(frozen=True, kw_only=True)
class Response:
    """One HTTP response."""

    status: int
    body: str
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_proxy(self) -> dict[str, Any]:
        """As API Gateway takes it. Every answer may be read by pages of any origin."""
        return {
            "statusCode": self.status,
            "headers": {
                "Content-Type": self.content_type,
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "Access-Control-Allow-Origin": "*",
                "Access-Control-Expose-Headers": "Retry-After",
                **self.headers,
            },
            "body": self.body,
            "isBase64Encoded": False,
        }


def request_id(event: Mapping[str, Any]) -> str:
    """The gateway's id of the request, which its own log and this Lambda's log carry."""
    return str(event.get("requestContext", {}).get("requestId") or "")
