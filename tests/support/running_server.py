"""An HTTP server in a thread of this process."""

from __future__ import annotations

import threading
from http.server import HTTPServer
from types import TracebackType
from typing import Self


class RunningServer:
    """Serves on a free port while its `with` block does; subclasses say what."""

    def __init__(self, server: HTTPServer, *, path: str = "") -> None:
        self._server = server
        self.url = f"http://127.0.0.1:{server.server_port}{path}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
