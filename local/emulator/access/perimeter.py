"""What a caller has to prove, and what is not offered at all."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app
from ministack.core import iam_evaluator
from ministack.services.cloudformation import custom_resource

HEALTH_PATH = "/_local/health"
"""Readiness probe of the local cloud: 200 once every service answers, 503 before."""

_CLOSED_PATHS = ("/_ministack/reset", "/_ministack/config", "/_localstack/reset")
"""Unauthenticated switches of ministack; a page in a browser could press them with a plain form."""

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


def install() -> None:
    """Verify the root's signature, take loopback for a secure transport, keep call-backs on 127.0.0.1."""
    # ministack believes whoever names the root's key (or "test", or twelve digits) without a look at the signature.
    # Treated like any other key, the signature has to fit the secret of this state folder.
    iam_evaluator._is_root_key = lambda access_key_id: False

    pin_origin = app.pin_request_origin

    def pin_request_origin(source_ip: str, secure_transport: bool) -> None:
        pin_origin(source_ip, secure_transport or is_loopback(source_ip))

    # CDK's enforce_ssl denies requests without aws:SecureTransport; what never leaves the machine counts as secure.
    app.pin_request_origin = pin_request_origin
    # "localhost" may resolve to ::1 first, where nothing listens.
    custom_resource._HOST = "127.0.0.1"


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def guarded(inner: Asgi, health: Callable[[], dict[str, Any]]) -> Asgi:
    """Wrap the ASGI application: the health probe in front, ministack's unauthenticated switches closed.

    `health` gives the probe's body; its member ``status`` is ``ok`` when the cloud is ready.
    """

    async def application(scope: dict, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            if scope["path"] == HEALTH_PATH:
                body = health()
                await _answer(send, 200 if body["status"] == "ok" else 503, body)
                return
            if scope["path"] in _CLOSED_PATHS:
                await _answer(send, 403, {"message": "Closed in the local cloud."})
                return
        await inner(scope, receive, send)

    return application


async def _answer(send: Any, status: int, body: dict[str, Any]) -> None:
    payload = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(payload)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": payload})
