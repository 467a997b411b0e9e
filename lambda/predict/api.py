"""The routes of the API."""

import json
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from predict import pages
from predict.errors import (
    DeploymentError,
    InvalidRequestError,
    MethodNotAllowedError,
    PayloadTooLargeError,
    PredictError,
    RouteNotFoundError,
)
from predict.http import Request, Response, request_id
from predict.models import Health, ModelReference, PredictionResponse, as_json
from predict.observability import Observability
from predict.problems import CONTENT_TYPE, Problem, to_problem
from predict.registry import ModelRegistry
from predict.request import PredictionRequest, parse_request
from predict.service import BUDGET_SECONDS, PredictionResult, PredictionService

PROBE = PredictionRequest(("Is anybody there?",))
"""Sent to the model to learn its state."""
PROBE_SECONDS = 10.0
"""Time for a probe: monitoring tools give up early."""
PROBE_KEPT_SECONDS = 5.0
"""For so long the outcome of a probe is told again: paths that need no key must not make the model busy."""
MAX_ANSWER_BYTES = 5 * 1024 * 1024
"""Of an answer's body: Lambda takes 6 MB with everything around it (docs.aws.amazon.com/lambda, quotas)."""
SPARE_SECONDS = 1.0
"""Time reserved, before Lambda's own time limit, for returning a proper timeout response."""

Route = Callable[[Request, float], Response]


class Api:
    """Answers API Gateway's events."""

    def __init__(
        self,
        *,
        service: PredictionService,
        registry: ModelRegistry,
        observability: Observability,
        api_key_required: bool = False,
        log_texts: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`api_key_required` is for the contract and the demo page; `log_texts` puts callers' texts into the log."""
        self._service = service
        self._registry = registry
        self._logger, self._metrics = observability.logger, observability.metrics
        self._telemetry = observability.telemetry
        self._log_texts = log_texts
        self._clock = clock
        self._probed: tuple[float, PredictionResult | PredictError] = (-math.inf, PredictError())
        self.routes: dict[str, dict[str, Route]] = {
            "/": {"GET": lambda *_: pages.demo(api_key_required)},
            "/docs": {"GET": lambda *_: pages.docs()},
            "/openapi.json": {"GET": lambda *_: pages.contract(api_key_required)},
            "/v1/health": {"GET": self._health},
            "/v1/model": {"GET": self._model},
            "/v1/predictions": {"POST": self._predict},
        }

    def answer(self, event: Mapping[str, Any], *, seconds: float) -> dict[str, Any]:
        """Answer one proxy event of API Gateway; `seconds` remain until Lambda stops this function."""
        self._metrics.add_metric(name="Requests", unit="Count", value=1)
        try:
            request = Request.from_event(event)
            response = self._route(request)(request, min(BUDGET_SECONDS, seconds - SPARE_SECONDS))
        except Exception as error:
            response = self._failed(error, request_id(event))
        return response.as_proxy()

    def _route(self, request: Request) -> Route:
        methods = self.routes.get(request.route)
        if methods is None:
            raise RouteNotFoundError(f"There is no such path. Allowed are {', '.join(self.routes)}.")
        if request.method not in methods:
            allowed = (*methods, "OPTIONS")
            raise MethodNotAllowedError(f"{request.route} takes {' and '.join(methods)} only.", allowed=allowed)
        return methods[request.method]

    def _predict(self, request: Request, seconds: float) -> Response:
        started = time.perf_counter()
        wanted = parse_request(request.body, content_type=request.headers.get("content-type"))
        result = self._service.predict(wanted, seconds=seconds)
        response = _json(PredictionResponse(result.predictions, ModelReference(result.version)))
        if len(response.body) > MAX_ANSWER_BYTES:
            raise PayloadTooLargeError(
                f"The answer would have {len(response.body)} bytes; {MAX_ANSWER_BYTES} are possible. Send fewer texts "
                "in a request, or a smaller parameters.top_k."
            )
        self._report(wanted, result, time.perf_counter() - started - result.endpoint_seconds)
        return response

    def _health(self, request: Request, seconds: float) -> Response:
        deep = request.query.get("deep", "false")
        if deep not in ("true", "false"):
            raise InvalidRequestError("deep is neither true nor false. Allowed are true and false.")
        if deep == "false":
            return _json(Health("ok"))
        result = self._probe(seconds)
        milliseconds = round(result.endpoint_seconds * 1000, 1)
        return _json(Health("ok", model=ModelReference(result.version), milliseconds=milliseconds))

    def _model(self, _: Request, seconds: float) -> Response:
        # During a release, the model that answers may differ from the one that should.
        return _json(self._registry.describe(self._probe(seconds).version))

    def _probe(self, seconds: float) -> PredictionResult:
        """Learn the model's state, or return or raise what was learnt a moment ago."""
        moment, outcome = self._probed
        if self._clock() - moment > PROBE_KEPT_SECONDS:
            try:
                outcome = self._service.predict(PROBE, seconds=min(seconds, PROBE_SECONDS))
            except PredictError as error:
                outcome = error
            self._probed = self._clock(), outcome
        if isinstance(outcome, PredictError):
            raise outcome.with_traceback(None)  # or each time it is raised would lengthen it
        return outcome

    def _report(self, request: PredictionRequest, result: PredictionResult, own_seconds: float) -> None:
        own, endpoint = round(own_seconds * 1000, 2), round(result.endpoint_seconds * 1000, 2)
        logged: dict[str, Any] = {"inputs": request.texts} if self._log_texts else {}
        self._logger.info(
            "answered",
            texts=len(request.texts),
            unique_texts=result.unique_texts,
            characters=sum(map(len, request.texts)),
            attempts=result.attempts,
            model_version=result.version,
            own_milliseconds=own,
            endpoint_milliseconds=endpoint,
            **logged,
        )
        for name, unit, value in (
            ("Texts", "Count", len(request.texts)),
            ("Attempts", "Count", result.attempts),
            ("OwnLatency", "Milliseconds", own),
            ("EndpointLatency", "Milliseconds", endpoint),
        ):
            self._metrics.add_metric(name=name, unit=unit, value=value)
        self._telemetry.count_predictions(request.texts, result.predictions, result.version, result.label_count)

    def _failed(self, error: Exception, request_id: str) -> Response:
        problem = to_problem(error)
        self._log(error, problem)
        self._metrics.add_metric(name=f"Problem.{problem.kind.code}", unit="Count", value=1)
        return Response(
            status=problem.kind.status,
            body=_dumps(as_json(problem.document(request_id))),
            content_type=CONTENT_TYPE,
            headers=problem.headers,
        )

    def _log(self, error: Exception, problem: Problem) -> None:
        kind = problem.kind
        if isinstance(error, DeploymentError):
            self._logger.error("misconfigured", code=kind.code, reason=error.reason)
        elif kind.status == 500:
            self._logger.exception("unexpected failure", code=kind.code)
        elif kind.status > 500:
            # Only SageMaker's code is logged: its message may quote a text.
            cause = error.__cause__
            response: Any = getattr(cause, "response", None) or {}  # None for a lost connection
            reason = response.get("Error", {}).get("Code") or type(cause or error).__name__
            status = response.get("OriginalStatusCode")
            self._logger.warning(
                "model failed", code=kind.code, status=kind.status, reason=reason, container_status=status
            )
        else:
            self._logger.info("refused", code=kind.code, status=kind.status, detail=problem.detail)


def _json(model: Any) -> Response:
    return Response(status=200, body=_dumps(as_json(model)))


def _dumps(document: Any) -> str:
    return json.dumps(document, separators=(",", ":"), allow_nan=False)
