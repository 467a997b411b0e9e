"""A server on the loopback interface that answers in JSON, or in bytes, as a function of the test says."""

from __future__ import annotations

import http.server
import json
from collections.abc import Callable
from typing import Any

from running_server import RunningServer

Answer = Callable[[str, dict[str, str], Any], tuple[int, dict[str, str], Any]]
"""Path, headers and the JSON that was sent → status, headers, and the JSON or the bytes to answer."""


class JsonServer(RunningServer):
    """The server, and the paths that it was asked for."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                try:
                    sent = json.loads(body or "null")
                except ValueError:
                    sent = None  # npm's is packed
                status, headers, document = answer(self.path, dict(self.headers), sent)
                content = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        self.host = self.url.removeprefix("http://")
