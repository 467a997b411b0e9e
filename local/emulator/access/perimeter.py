"""What a caller has to prove, and what ministack offers that is closed here."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from local.emulator.common.patching import Original

HEALTH_PATH = "/_local/health"  # readiness probe of the local cloud: 200 once every service answers, 503 before
_CLOSED_PATHS = ("/_ministack/reset", "/_ministack/config", "/_localstack/reset")
"""ministack's administrative paths without authentication; any web page could post a form to them."""

GATEWAY_PATHS = ("/restapis/", "/_aws/execute-api/")
"""Where the paths of API Gateway begin: of its APIs, in both of ministack's forms."""

_STOPPING = {
    "type": "about:blank",
    "title": "Service Unavailable",
    "status": 503,
    "detail": "The local cloud is stopping. Try again shortly.",
}

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


def is_root_key(original: Original, access_key_id: str) -> bool:
    """Give no key the root's rights unseen: the signature has to match the secret of this state folder."""
    return False


def pin_request_origin(original: Original, source_ip: str, secure_transport: bool) -> None:
    """Count loopback, all that the server listens on, as secure: CDK's `enforce_ssl` asks for `aws:SecureTransport`."""
    original(source_ip, True)


def resolve_condition_key(original: Original, key: str, context: Any) -> Any:
    """Let `aws:PrincipalArn` name the role of a session, as on AWS; ministack names the session."""
    found = original(key, context)
    if key.lower() != "aws:principalarn" or ":assumed-role/" not in found:
        return found
    session, role, _ = found.split("/", 2)
    return f"{session.replace(':sts:', ':iam:').replace(':assumed-role', ':role')}/{role}"


def guarded(inner: Asgi, health: Callable[[], dict[str, Any]]) -> Asgi:
    """Wrap the ASGI application: answer the health probe, refuse ministack's administrative paths.

    `health` gives the probe's body; its member `status` is `ok` when the cloud is ready. While it is `stopping`, the
    APIs' callers get a 503.
    """

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path == HEALTH_PATH:
            body = health()
            await _answer(send, 200 if body["status"] == "ok" else 503, body)
        elif path in _CLOSED_PATHS:
            await _answer(send, 403, {"message": "This path is closed in the local cloud."})
        elif path.startswith(GATEWAY_PATHS) and health()["status"] == "stopping":  # no function starts any more
            await _answer(send, 503, _STOPPING, b"application/problem+json")
        else:
            try:
                await inner(scope, receive, send)
            except asyncio.CancelledError:  # cut off by the server's stop; hypercorn would answer 500 without a body
                with contextlib.suppress(Exception):  # an answer has begun
                    await _answer(send, 503, _STOPPING, b"application/problem+json")
                raise

    return application


async def _answer(send: Any, status: int, body: dict[str, Any], media_type: bytes = b"application/json") -> None:
    payload = json.dumps(body).encode()
    headers = [(b"content-type", media_type), (b"content-length", str(len(payload)).encode())]
    headers += [(b"retry-after", b"5")] if status == 503 else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": payload})
