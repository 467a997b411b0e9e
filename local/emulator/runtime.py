"""The running server: ministack with every change, from the first request to the end of the last child process."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import threading
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack_app

from local.emulator import plugin
from local.emulator.access.perimeter import Asgi, guarded
from local.emulator.common.environment import REQUIRED_VERSION
from local.emulator.functions import environments
from local.emulator.recovery import interrupted, recovery
from local.emulator.recovery.stack_operations import JOURNAL
from local.emulator.sagemaker_bridge.surroundings import CloudSurroundings
from local.emulator.state import persistence
from local.emulator.state.persistence import Autosave
from local.sagemaker.common.settings import Settings
from local.sagemaker.service import SageMakerService

logger = logging.getLogger("local.cloud")

_STOP_SECONDS = 30.0
_ON_THEIR_WAY_SECONDS = 0.3
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class LocalCloud:
    """One local cloud. `run` returns after a signal, with every child process ended and the state saved."""

    def __init__(self, settings: Settings, region: str) -> None:
        self._service = SageMakerService(settings, CloudSurroundings(region))
        self._about = {"endpoint_url": settings.endpoint_url, "region": region, "ministack": REQUIRED_VERSION}
        self._autosave = Autosave()
        self._status = "starting"
        self._recovering: asyncio.Task[None] | None = None
        plugin.install(self._service)

    def run(self, listening: socket.socket) -> None:
        """Serve on a bound socket until SIGTERM, SIGINT or SIGHUP.

        Threads may remain that wait for ever (for a stack's wait condition, say), so the caller has to end the process
        with `os._exit`. For the same reason this is not `asyncio.run`, which waits for every task.
        """
        asyncio.new_event_loop().run_until_complete(self._run(listening))
        logger.info("The local cloud has stopped.")

    def _health(self) -> dict[str, Any]:
        """Return the body of the readiness probe."""
        return {"status": self._status, "pid": os.getpid(), "unsaved": persistence.unsaved(), **self._about}

    async def _run(self, listening: socket.socket) -> None:
        asked_to_stop = asyncio.Event()
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, asked_to_stop.set)
        config = Config()
        config.bind = [f"fd://{listening.fileno()}"]
        config.keep_alive_timeout = 75
        config.errorlog = logging.getLogger("hypercorn.error")
        saving = asyncio.create_task(self._autosave.run())

        async def until_stopped() -> None:
            await asked_to_stop.wait()
            await self._stop_children()
            # Nothing more is accepted here: a new server that has the socket, too, will. hypercorn then closes what is
            # idle, and would count a connection as idle whose first request is still on its way.
            asyncio.get_running_loop().remove_reader(listening.fileno())
            await asyncio.sleep(_ON_THEIR_WAY_SECONDS)

        try:
            await serve(guarded(self._application(), self._health), config, shutdown_trigger=until_stopped)
        finally:
            saving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await saving

    async def _stop_children(self) -> None:
        """End jobs, endpoints and Lambda functions while the services that they report to still answer."""
        self._status = "stopping"
        logger.info("Stopping: training jobs, endpoints and functions are ended, the state is saved.")
        # A request that never ends must not keep the process alive.
        watchdog = threading.Timer(_STOP_SECONDS, self._give_up)
        watchdog.daemon = True
        watchdog.start()
        await interrupted.wait_for_operations()
        JOURNAL.freeze()  # the next start takes up the rest
        await asyncio.to_thread(self._service.stop)
        await asyncio.to_thread(environments.end)

    def _give_up(self) -> None:
        logger.error("The server has not stopped within %.0f s; leaving now.", _STOP_SECONDS)
        logging.shutdown()
        os._exit(1)

    def _application(self) -> Asgi:
        """Wrap ministack: start the SageMaker service once the port answers, and note changes for saving."""

        async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                heads = {name: value.decode("latin-1") for name, value in scope["headers"]}
                caller, target = heads.get(b"authorization", ""), heads.get(b"x-amz-target", "")
                self._autosave.note_request(scope["method"], scope["path"], caller, target)
            await ministack_app.app(scope, receive, observed(send) if scope["type"] == "lifespan" else send)

        def observed(send: Any) -> Any:
            async def send_and_start(message: dict[str, Any]) -> None:
                await send(message)
                if message["type"] == "lifespan.startup.complete":
                    await asyncio.to_thread(self._service.start)
                    self._status = "ok"
                    gc.freeze()  # what is loaded stays: no collection has to walk it
                    self._recovering = asyncio.create_task(recovery.finish_operations())
                    logger.info("Ready on %(endpoint_url)s (region %(region)s).", self._about)

            return send_and_start

        return application
