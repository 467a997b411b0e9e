"""Load the model, drop the rights of root, serve until SIGTERM, and finish the running requests."""

import asyncio
import gc
import logging
import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence

from serving import logs
from serving.errors import ServingError
from serving.predictor import Predictor, load_predictor
from serving.server.app import InferenceApp
from serving.server.connection import Connection, Connections
from serving.server.digests import check_files
from serving.server.settings import ServerSettings

logger = logging.getLogger("serving")

BACKLOG = 1_024


class Server:
    """Serves a loaded model on a listening socket."""

    def __init__(self, predictor: Predictor, settings: ServerSettings) -> None:
        self._settings = settings
        self.connections = Connections(InferenceApp(predictor, settings), settings)
        self._stopping = asyncio.Event()

    def begin_stop(self) -> None:
        """Refuse new connections and end after answering the requests that have arrived. Call it in the event loop."""
        self._stopping.set()

    async def serve(self, listener: socket.socket) -> bool:
        """Serve until `begin_stop`; return whether every request was answered within the drain time."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(self.connections), sock=listener, backlog=BACKLOG)
        await self._stopping.wait()
        server.close()  # `async with` would wait for idle connections too, from Python 3.12.1 on
        open_connections = self.connections.open
        for connection in list(open_connections):
            connection.stop()
        deadline = loop.time() + self._settings.drain_seconds
        while open_connections and loop.time() < deadline:
            await asyncio.sleep(0.01)
        drained = not open_connections
        for connection in list(open_connections):
            connection.abort()
        self.connections.log.write()
        return drained


def bind(settings: ServerSettings) -> socket.socket:
    """Open a socket that does not listen yet; raise ServingError if its port is in use."""
    # asyncio sets TCP_NODELAY only on sockets that name TCP as their protocol. Without it each answer on a kept
    # connection waits 40 ms for a delayed acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise ServingError(f"cannot listen on {settings.host}:{settings.port} ({error.strerror})") from error
    return listener


def drop_root(user: int) -> None:
    """Become `user`, for good and in all threads, if this process is root's; raise ServingError if it may not."""
    if os.geteuid():
        return
    try:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    except OSError as error:
        raise ServingError(f"cannot become the user {user} ({error.strerror})") from error


def run(environ: Mapping[str, str] = os.environ) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status. The last log line has the reason of a failed start."""
    logs.configure()
    told: list[int] = []  # signals that arrive while the model loads
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: told.append(number))
    try:
        settings = ServerSettings.from_environment(environ)
        logs.configure(settings.log_level)
        started = time.perf_counter()
        with bind(settings) as listener:  # before loading the model, so that a port in use is reported at once
            if settings.files_sha256:
                check_files(settings.model_dir, settings.files_sha256)
            predictor = load_predictor(settings.model_dir, threads=settings.threads)
            if settings.user:
                drop_root(settings.user)
            listener.listen(BACKLOG)
            facts = {
                "host": settings.host,
                "port": listener.getsockname()[1],
                "backend": predictor.backend.name,
                "model_version": settings.model_version,
                "files_checked": bool(settings.files_sha256),
                "user": os.geteuid(),
                "workers": settings.workers,
                "load_seconds": round(time.perf_counter() - started, 3),
            }
            logger.info("ready", extra={"facts": facts})
            drained = asyncio.run(_serve(predictor, settings, listener, told))
    except ServingError as error:
        logger.error("cannot start", extra={"facts": {"reason": str(error)}})
        return 1
    logger.info("stopped", extra={"facts": {"drained": drained}})
    return 0


async def _serve(predictor: Predictor, settings: ServerSettings, listener: socket.socket, told: Sequence[int]) -> bool:
    server = Server(predictor, settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, server.begin_stop)
    if told:
        server.begin_stop()
    # Exclude the loaded model from garbage collection, which would otherwise scan it during requests.
    gc.freeze()
    gc.enable()
    return await server.serve(listener)
