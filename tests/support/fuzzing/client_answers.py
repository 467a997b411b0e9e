"""What a server answers to the client, and what stands in its journal: outcomes, or an error of the client's own."""

from __future__ import annotations

import io
import json
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import requests

from fuzzing.run import Target
from text_classifier import Client
from text_classifier.errors import ApiError, FileError
from text_classifier.journal import Journal
from text_classifier.results import Prediction, Refusal
from text_classifier.tables import Layout, Row, Writer
from text_classifier.transport import RetryPolicy

SCORES = [{"label": "good", "confidence": 0.9}, {"label": "bad", "confidence": 0.1}]
ONE = {"label": "good", "confidence": 0.9, "score": 1.5, "truncated": False, "labels": ["good"], "scores": SCORES}
DOCUMENTS: list[Any] = [
    {"predictions": [ONE], "model": {"version": "3"}},
    {"type": "about:blank", "code": "bad_request", "detail": "no", "status": 400, "request_id": "r"},
    {"status": "ok", "model": {"version": "3"}, "milliseconds": 3.5},
]
RUN = {"input": "a", "rows": 3}


class _Answering(requests.adapters.BaseAdapter):
    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__()
        self._answer = status, headers, body

    def send(self, request: Any, *_: Any, **__: Any) -> requests.Response:
        answer = requests.Response()
        answer.status_code, headers, body = self._answer
        answer.headers.update(headers)
        answer.raw, answer.url, answer.request = io.BytesIO(body), request.url, request
        return answer

    def close(self) -> None:
        pass


class Fuzzed(Target):
    """Takes bytes as an answer, or, where they begin as a database does, as a journal."""

    def __init__(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "journal"
            with Journal(path, RUN) as journal:
                outcomes = [Prediction("good", 0.9, 1.5, False, "3"), Refusal("empty", "It is empty.")]
                journal.add(enumerate(outcomes))
            journals = [path.read_bytes()]
            for outcome in ("[]", "{}", '{"code": 1}', '{"label": "a"}', "x", '{"labels": 5, "scores": [1]}'):
                database = sqlite3.connect(path, isolation_level=None)
                database.execute("UPDATE outcomes SET outcome = ? WHERE row = 0", (outcome,))
                database.close()
                journals.append(path.read_bytes())
        super().__init__([*(json.dumps(document).encode() for document in DOCUMENTS * 3), *journals])

    def check(self, data: bytes) -> None:
        if data.startswith(b"SQLite"):
            self.journal(data)
            return
        for status, kind in (
            (200, "application/json"),
            (400, "application/problem+json"),
            (503, "text/html; charset=x"),
        ):
            wait = data[:20].decode("latin-1").strip()
            self.answer(_Answering(status, {"Content-Type": kind, "Retry-After": wait}, data))

    def answer(self, adapter: requests.adapters.BaseAdapter) -> None:
        """Ask for a prediction, the health and the model; write what comes as CSV and as JSON."""
        session = requests.Session()
        session.mount("https://", adapter)
        retry = RetryPolicy(attempts=2, seconds=1000.0)
        client = Client("https://api.test/live", session=session, sleep=lambda _: None, retry=retry)
        for ask in (lambda: list(client.score_all(["a text"], top_k="all")), client.health, client.model):
            try:
                found: Any = ask()
            except ApiError as error:
                assert error.message and error.hint
                f"{error.message}{error.code}{error.detail}".encode()
                continue
            for layout in (Layout(), Layout(as_json=True), Layout(every_class=True)) if isinstance(found, list) else ():
                file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
                writer = Writer(file, layout)
                try:
                    for outcome in found:
                        writer.write(Row({"text": "a text"}, "a text"), outcome)
                    writer.flush()
                except FileError as error:
                    assert error.hint
                file.flush()

    def journal(self, data: bytes) -> None:
        """Resume from it."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "journal"
            path.write_bytes(data)
            try:
                with Journal(path, RUN) as journal:
                    journal.pending(3)
                    assert all(isinstance(outcome, Prediction | Refusal) for _, outcome in journal.outcomes())
                    journal.summary()
                    _ = journal.done, journal.published
            except FileError as error:
                assert error.message and error.hint
            except OSError as error:
                assert str(error)
