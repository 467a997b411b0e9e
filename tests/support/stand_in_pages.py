"""The pages of the API in front of a model that is made up: any labels, served over HTTP without AWS."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from predict import pages
from predict.http import Response
from running_server import RunningServer

ROOT = "/live"


def card(labels: list[str], objective: str = "classification") -> dict[str, Any]:
    """What /v1/model says of a model with these labels."""
    estimate = {"value": 0.912, "low": 0.894, "high": 0.927}
    told: dict[str, Any] = {
        "version": "7",
        "source": "registry",
        "metrics": {"accuracy": estimate, "f1": estimate, "test_rows": 1540},
        "objective": objective,
        "labels": [
            {
                "label": label,
                "test_rows": zlib.crc32(label.encode()) % 40,
                "precision": 0.9 if number else None,
                "recall": 0.85,
                "f1": 0.87,
            }
            for number, label in enumerate(labels)
        ],
    }
    return told | ({"score_threshold": 1.0} if objective == "regression" else {})


def prediction(text: str, labels: list[str], objective: str, top_k: int | None) -> dict[str, Any]:
    """What the model answers: always the same to a text, and different for most texts."""
    raw = [zlib.crc32(f"{label}{text}".encode()) % 1000 / 1000 for label in labels]
    weights = raw if objective == "multilabel" else [value**8 / sum(one**8 for one in raw) for value in raw]
    scores = [
        {"label": label, "confidence": weight}
        for weight, label in sorted(zip(weights, labels, strict=True), reverse=True)
    ]
    answer: dict[str, Any] = {**scores[0], "score": None, "truncated": len(text) > 200}
    if objective == "regression":
        answer["score"] = 2 * weights[1]
    if objective == "multilabel":
        answer["labels"] = [one["label"] for one in scores if one["confidence"] > 0.93]
    return answer | {"scores": scores[:top_k]}


class StandInPages(RunningServer):
    """Serves the demo page, the contract and both routes of the API while its `with` block does.

    Args:
        labels: Of the model; none for a model that says nothing of itself.
        objective: Of the model.
        key: Whether the page asks for a key.

    Attributes:
        problem: Status, body and headers that answer every prediction, if set.
        asked: Bodies of all requests for predictions.
    """

    def __init__(self, labels: list[str], objective: str = "classification", *, key: bool = False) -> None:
        self.labels, self.objective, self.key = labels, objective, key
        self.problem: tuple[int, dict[str, Any], Mapping[str, str]] | None = None
        self.asked: list[dict[str, Any]] = []
        super().__init__(ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"site": self})), path=ROOT)

    def answer(self, body: bytes) -> Response:
        """Answer a request for predictions."""
        document = json.loads(body)
        self.asked.append(document)
        if self.problem:
            status, problem, headers = self.problem
            return Response(status=status, body=json.dumps(problem), headers=headers)
        labels = self.labels or ["LABEL_0", "LABEL_1"]
        top_k = document["parameters"]["top_k"]
        inputs = document["inputs"]
        texts = [inputs] if isinstance(inputs, str) else inputs
        answers = [prediction(text, labels, self.objective, top_k) for text in texts]
        return Response(status=200, body=json.dumps({"predictions": answers, "model": {"version": "7"}}))

    def page(self, path: str) -> Response:
        """Answer a GET."""
        if path == f"{ROOT}/v1/model":
            told = card(self.labels, self.objective) if self.labels else {"version": "hub", "metrics": None}
            return Response(status=200, body=json.dumps(told))
        return {f"{ROOT}/": pages.demo(self.key), ROOT: pages.demo(self.key), f"{ROOT}/docs": pages.docs()}[path]


class _Handler(BaseHTTPRequestHandler):
    site: StandInPages

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        self._send(self.site.page(self.path))

    def do_POST(self) -> None:
        self._send(self.site.answer(self.rfile.read(int(self.headers["Content-Length"]))))

    def _send(self, response: Response) -> None:
        answer = response.as_proxy()
        self.send_response(answer["statusCode"])
        for name, value in answer["headers"].items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer["body"].encode())
