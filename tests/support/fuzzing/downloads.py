"""What a web host answers when data is collected: complete files, or a refusal, and nothing else on the disk."""

from __future__ import annotations

import hashlib
import socket
import tempfile
import threading
from pathlib import Path

from fuzzing.run import Target
from ingest.collect import collect
from ingest.errors import DataUnavailableError
from ingest.sources.base import Limits
from shared.errors import FunctionError

BODY = b"text,label\na,b\nc,d\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n"
LIMITS = Limits(connect_timeout=1, read_timeout=1, time_limit=3, attempts=1, backoff=0, max_wait=0, max_bytes=10_000)


class Fuzzed(Target):
    """Answers each request with the bytes, and closes."""

    def __init__(self) -> None:
        length = b"Content-Length: %d\r\n\r\n" % len(BODY)
        super().__init__(
            [
                HEAD + length + BODY,
                HEAD + b"Connection: close\r\n\r\n" + BODY,
                HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY),
                HEAD + b"Content-Encoding: gzip\r\n" + length + BODY,
                b"HTTP/1.1 302 Found\r\nLocation: /other.csv\r\nContent-Length: 0\r\n\r\n",
                b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
                b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-4/19\r\nContent-Length: 5\r\n\r\ntext,",
            ]
        )
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._answer = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                connection.settimeout(1)
                try:
                    connection.recv(65536)
                    connection.sendall(self._answer)
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(65536)
                except OSError:
                    continue

    def check(self, data: bytes) -> None:
        self._answer = data
        with tempfile.TemporaryDirectory() as folder:
            url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/data/train.csv"
            try:
                found = collect(url, Path(folder), limits=LIMITS)
            except FunctionError as error:
                assert isinstance(error, DataUnavailableError), error
                assert str(error).isprintable(), error
                return
            (file,) = found.files
            assert [path.name for path in Path(folder).iterdir()] == ["train.csv"]
            assert file.size == file.path.stat().st_size <= LIMITS.max_bytes
            assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
