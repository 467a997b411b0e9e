"""A real web server that answers as told, and an S3 client that keeps its objects in a dict."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ingest.sources.base import Limits

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Answer:
    """One answer. `announced` overrides the Content-Length; `pause` delays the start, `drip` each byte (in s)."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | None = None
    pause: float = 0.0
    drip: float = 0.0


class Site:
    """A web server on this machine. Each path has a list of answers; the last one is given again and again."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.requested: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.requested.append(self.path)
                answers = site.answers.get(self.path, [Answer(b"nothing here", 404)])
                site.give(self, answers.pop(0) if len(answers) > 1 else answers[0])

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._stopping = threading.Event()
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def give(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        """Sends one answer and closes the connection."""
        self._stopping.wait(answer.pause)
        size = len(answer.body) if answer.announced is None else answer.announced
        handler.close_connection = True
        try:
            handler.send_response(answer.status)
            # An empty value leaves the header out.
            for name, value in {"Content-Length": str(size), **answer.headers}.items():
                if value:
                    handler.send_header(name, value)
            handler.end_headers()
            pieces: Iterable[bytes] = [answer.body]
            if answer.drip:
                pieces = (answer.body[i : i + 1] for i in range(len(answer.body)))
            for piece in pieces:
                handler.wfile.write(piece)
                handler.wfile.flush()
                if answer.drip and self._stopping.wait(answer.drip):
                    return
        except OSError:
            pass  # the client gave up, which is what some tests are about

    def serve(self, path: str, *answers: Answer | bytes) -> None:
        """Sets the answers for a path."""
        self.answers[path] = [answer if isinstance(answer, Answer) else Answer(answer) for answer in answers]

    def close(self) -> None:
        """Stops the server and everything it is still sending."""
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()


class FakeS3:
    """The calls of a boto3 S3 client that the project makes, on objects in a dict `(bucket, key) -> bytes`."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.written: list[str] = []
        self.denied: set[str] = set()

    def _check(self, operation: str) -> None:
        if operation in self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)

    def list_objects_v2(self, *, Bucket: str, Prefix: str = "", MaxKeys: int = 1000) -> dict[str, Any]:
        self._check("ListObjectsV2")
        keys = sorted(key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix))
        return {"Contents": [{"Key": key} for key in keys[:MaxKeys]]} if keys else {}

    def get_paginator(self, operation: str) -> FakeS3:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str, Delimiter: str) -> Iterator[dict[str, Any]]:
        """One object a page, so that a reader that stops after the first page is found out."""
        for entry in self.list_objects_v2(Bucket=Bucket, Prefix=Prefix).get("Contents", []):
            if Delimiter not in entry["Key"].removeprefix(Prefix):
                yield {"Contents": [entry]}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        self._check("GetObject")
        if (Bucket, Key) not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "no"}}, "GetObject")
        body = self.objects[Bucket, Key]
        return {"Body": io.BytesIO(body), "ContentLength": len(body)}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        self._check("PutObject")
        self.objects[Bucket, Key] = Body
        self.written.append(Key)

    def upload_file(self, filename: str, bucket: str, key: str) -> None:
        self._check("PutObject")
        self.objects[bucket, key] = Path(filename).read_bytes()
        self.written.append(key)

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        self._check("DeleteObject")
        del self.objects[Bucket, Key]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests to this machine go straight there, whatever proxy the machine uses."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    yield server
    server.close()


@pytest.fixture
def answer() -> type[Answer]:
    return Answer


@pytest.fixture
def fake_s3() -> FakeS3:
    return FakeS3()


@pytest.fixture
def quick() -> Limits:
    """Patience for tests: three attempts, a hundredth of a second between them."""
    return Limits(connect_timeout=1, read_timeout=1, attempts=3, backoff=0.01, max_wait=0.02)


@pytest.fixture
def bundled() -> Path:
    """The bundled data set's folder."""
    return ROOT / "training_job" / "data"


@pytest.fixture
def closed_url() -> str:
    """An address of this machine at which nothing listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.server_close()
    return f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def data_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a data file."""

    def write(content: str, name: str = "train.json") -> Path:
        path = tmp_path / name
        path.write_text(content)
        return path

    return write
