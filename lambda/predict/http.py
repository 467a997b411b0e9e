"""API Gateway's proxy events (payload version 1.0) as requests, and responses in the gateway's format.

Powertools' resolver is not used: importing it takes longer than everything else that this Lambda loads besides boto3
(docs/decisions/0009-api-contract.md).
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from predict.errors import InvalidRequestError


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request."""

    method: str
    route: str
    """Path of the gateway's resource, such as `/v1/predictions`, whatever the domain and stage."""
    headers: Mapping[str, str]
    """Names in lower case."""
    query: Mapping[str, str]
    body: str | None

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Self:
        """Read an event; raise InvalidRequestError for a body that is no text."""
        body = event.get("body")
        if body is not None and event.get("isBase64Encoded"):
            try:
                body = base64.b64decode(body, validate=True).decode()
            except ValueError as error:  # not base64, or not UTF-8 in it
                raise InvalidRequestError("The body is not UTF-8 text. Send JSON in UTF-8.") from error
        return cls(
            method=event["httpMethod"],
            route=event["resource"],
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
        """Return it in API Gateway's format. Pages of any origin may read every answer."""
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
    """Return the gateway's id of the request, which its own log and this Lambda's log contain."""
    return str(event.get("requestContext", {}).get("requestId") or "")
