"""The server process: load the model, serve until SIGTERM, let running requests finish."""

from __future__ import annotations

import functools
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Mapping

import uvicorn

from serving import logs
from serving.errors import ServingError
from serving.predictor import Predictor, load_predictor
from serving.server.app import InferenceApp
from serving.server.connection import Connection
from serving.server.settings import ServerSettings

logger = logging.getLogger("serving")

BACKLOG = 1_024


def listen(settings: ServerSettings) -> socket.socket:
    """A listening socket on the settings' address; raises OSError. Connections wait in it until the model is loaded."""
    # asyncio sends small segments at once (TCP_NODELAY) on sockets that name TCP as their protocol only; without it
    # each answer on a kept connection waits 40 ms for a delayed acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def make_server(predictor: Predictor, settings: ServerSettings) -> uvicorn.Server:
    """A server around a loaded model; it runs with `run(sockets=[…])`."""
    config = uvicorn.Config(
        InferenceApp(predictor, settings),  # type: ignore[arg-type]
        interface="asgi3",
        http=functools.partial(Connection, settings),  # type: ignore[arg-type]
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=settings.idle_seconds,  # type: ignore[arg-type]
        timeout_graceful_shutdown=settings.drain_seconds,  # type: ignore[arg-type]
    )
    return uvicorn.Server(config)


def run(environ: Mapping[str, str] = os.environ) -> int:
    """Serve until SIGTERM or SIGINT; the process's exit status. The reason of a failed start is the last log line."""
    logs.configure()
    stop = threading.Event()
    # While the model loads they are remembered; later uvicorn handles them, and calls these once more at its end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = ServerSettings.from_env(environ)
        logs.configure(settings.log_level)
        started = time.perf_counter()
        with _listener(settings) as listener:
            predictor = load_predictor(settings.model_dir, threads=settings.threads)
            facts = {
                "host": settings.host,
                "port": listener.getsockname()[1],
                "backend": predictor.backend.name,
                "model_version": settings.model_version,
                "workers": settings.workers,
                "load_seconds": round(time.perf_counter() - started, 3),
            }
            logger.info("ready", extra={"facts": facts})
            server = make_server(predictor, settings)
            if not stop.is_set():
                server.run(sockets=[listener])
    except ServingError as error:
        logger.error("cannot start", extra={"facts": {"reason": str(error)}})
        return 1
    logger.info("stopped", extra={"facts": {"drained": not server.server_state.tasks}})
    return 0


def _listener(settings: ServerSettings) -> socket.socket:
    """The port first: a taken one is found before any time is spent on the model."""
    try:
        return listen(settings)
    except OSError as error:
        reason = f"cannot listen on {settings.host}:{settings.port} ({error.strerror})"
        raise ServingError(reason) from error
