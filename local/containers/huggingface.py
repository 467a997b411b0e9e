"""Stands for the official Hugging Face inference image. A script of its own: `python huggingface.py serve`.

It serves the artifact in `SM_MODEL_DIR` through the hooks in its `code/inference.py`: `GET /ping` and
`POST /invocations` on `SAGEMAKER_BIND_TO_HOST`:`SAGEMAKER_BIND_TO_PORT`. An exception of a hook becomes a 400 with the
toolkit's JSON, unless the hook has set another status through its context.

`/ping` answers 200 once `model_fn` has returned. If `model_fn` raises, the process ends with exit code 1, and its last
log line gives the reason.

With `LOCAL_CONTAINER_PING=stock` it behaves like the image itself: `/ping` answers 200 at once, the first request loads
the model, each request after a failed load tries again and gets a 400, and the context names the image's server.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path

import uvicorn
from huggingface_hooks import HookedModel, UnusableArtifactError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_PING = "LOCAL_CONTAINER_PING"
# The name of the image's server; artifacts may use it.
_STOCK_SERVER = {"server_name": "MMS", "server_version": "1.1.11"}
_DRAIN_SECONDS = 60
_KEPT_SECONDS = 24 * 3600  # a connection without a request: who closes it first is the caller


def say(message: str, **facts: object) -> None:
    """Write one JSON line to the container's log. It must not contain text of a request."""
    sys.stdout.write(json.dumps({"message": message, **facts}) + "\n")
    sys.stdout.flush()


def application(model: HookedModel, *, stock: bool) -> Starlette:
    """Return the ASGI application around a model."""

    async def ping(request: Request) -> Response:
        if stock or model.loaded:
            return JSONResponse({"status": "Healthy"})
        return _error(503, "ServiceUnavailableException", "The model is being loaded.")

    async def invocations(request: Request) -> Response:
        body, started = await request.body(), time.perf_counter()
        facts: dict[str, object] = {}
        try:
            status, content, content_type = await run_in_threadpool(model.answer, body, request.headers)
            answer = Response(content, status, {"Content-Type": content_type})
        except Exception as error:  # the toolkit turns every exception of a hook into a 400
            answer = _error(400, "InternalServerException", str(error))
            facts = {"error": type(error).__name__, "at": _place(error)}
        milliseconds = round((time.perf_counter() - started) * 1000, 2)
        say("request", status=answer.status_code, bytes=len(body), milliseconds=milliseconds, **facts)
        return answer

    async def not_found(request: Request, error: Exception) -> Response:
        return _error(404, "ResourceNotFoundException", "There are GET /ping and POST /invocations.")

    routes = [Route("/ping", ping), Route("/invocations", invocations, methods=["POST"])]
    return Starlette(routes=routes, exception_handlers={HTTPException: not_found})


def _error(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"code": status, "type": kind, "message": message}, status)


def _place(error: Exception) -> str:
    """Return file and line of the exception. Its message is not logged, because it may contain text of a request."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def main(arguments: list[str], environ: Mapping[str, str] = os.environ) -> int:
    """Serve until SIGTERM. Return the exit code: 0 stopped, 1 cannot start, 2 wrong arguments."""
    if arguments != ["serve"]:
        say("usage: python huggingface.py serve")
        return 2
    ping = environ.get(_PING) or "honest"
    address = (environ.get("SAGEMAKER_BIND_TO_HOST", "127.0.0.1"), int(environ.get("SAGEMAKER_BIND_TO_PORT", "8080")))
    try:
        if ping not in ("honest", "stock"):
            raise UnusableArtifactError(f"{_PING}={ping} is not allowed: expected honest or stock")
        stock = ping == "stock"
        model = HookedModel(Path(environ.get("SM_MODEL_DIR", "/opt/ml/model")), _STOCK_SERVER if stock else {})
        listening = socket.create_server(address, backlog=128)
        # Connections inherit it. Without it a delayed ACK adds 40 ms to each answer on kept ones.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (UnusableArtifactError, OSError) as error:
        say("cannot start", reason=str(error))
        return 1
    return _serve(model, listening, stock=stock)


def _serve(model: HookedModel, listening: socket.socket, *, stock: bool) -> int:
    config = uvicorn.Config(
        application(model, stock=stock),
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        timeout_keep_alive=_KEPT_SECONDS,
    )
    server = uvicorn.Server(config)
    failures: list[Exception] = []
    port = listening.getsockname()[1]

    def load() -> None:
        try:
            model.load()
            say("ready", port=port)
        except Exception as error:
            failures.append(error)
            server.should_exit = True

    # uvicorn's own handlers come later, and raise the signal again at their end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    if stock:
        say("listening", port=port)
    else:
        threading.Thread(target=load, daemon=True).start()
    server.run([listening])
    if not failures:
        say("stopped")
        return 0
    text = "".join(traceback.format_exception(failures[0]))
    # Without the lines of ^^^^: a FailureReason has room for a few of the last lines only.
    sys.stdout.writelines(f"{line}\n" for line in text.splitlines() if line.strip(" ^~"))
    say("cannot start", reason=f"{type(failures[0]).__name__}: {failures[0]}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
