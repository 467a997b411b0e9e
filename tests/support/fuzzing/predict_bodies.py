"""Bodies of POST /v1/predictions: answered or refused, no 500, no text in a refusal; the model's server agrees."""

from __future__ import annotations

import base64
import contextlib
import io
import json
from typing import Any

from fuzzing.run import Target
from predict.api import Api
from predict.endpoint import SageMakerEndpoint
from predict.observability import create_observability
from predict.registry import ModelRegistry
from predict.service import PredictionService
from predict.settings import Settings
from serving.errors import RequestError
from serving.request import parse_inputs

TEXT = "Zq9 a customer's words"
SEEDS: list[Any] = [
    {"inputs": TEXT},
    {"inputs": [TEXT, "another", TEXT]},
    {"inputs": TEXT, "parameters": {"top_k": 3, "truncation": True}},
    {"inputs": TEXT, "parameters": {"top_k": None}},
    {"inputs": {"text": TEXT, "text_pair": TEXT}},
]


class Fuzzed(Target):
    """Sends each body in two forms to an API whose model answers every request that its own server takes."""

    def __init__(self) -> None:
        super().__init__([json.dumps(seed).encode() for seed in SEEDS])
        self.asked: list[bytes] = []
        observability = create_observability(Settings(endpoint_name="e"))
        observability.logger.setLevel("CRITICAL")
        self.metrics = observability.metrics
        self.api = Api(
            service=PredictionService(endpoint=SageMakerEndpoint("e", lambda _: self)),
            registry=ModelRegistry(None, lambda _: None),
            observability=observability,
        )

    def invoke_endpoint(self, **call: Any) -> dict[str, Any]:
        """Play the endpoint; the server's own parser has to take what the Lambda sends."""
        try:
            texts = parse_inputs(call["Body"]).texts
        except RequestError as error:
            raise AssertionError(f"the model's server refuses what the Lambda took: {error}") from error
        one = {"label": "good", "confidence": 0.5, "score": None, "truncated": False}
        return {"Body": io.BytesIO(json.dumps({"predictions": [one] * len(texts), "model": {"version": "3"}}).encode())}

    def check(self, data: bytes) -> None:
        for body, packed in ((data.decode(errors="replace"), False), (base64.b64encode(data).decode(), True)):
            event = {
                "httpMethod": "POST",
                "resource": "/v1/predictions",
                "headers": {"Content-Type": "application/json"},
                "body": body,
                "isBase64Encoded": packed,
                "requestContext": {"requestId": "r"},
            }
            with contextlib.redirect_stdout(io.StringIO()):  # where metrics go
                answer = self.api.answer(event, seconds=20.0)
            self.metrics.clear_metrics()
            assert answer["statusCode"] in (200, 400, 413), answer
            assert "Zq9" not in answer["body"]
            if answer["statusCode"] != 200:
                problem = json.loads(answer["body"])
                assert problem["detail"] and "Traceback" not in answer["body"]
