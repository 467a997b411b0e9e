"""The routes: parse, one call, map."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from predict.errors import InvalidRequestError, MethodNotAllowedError, MisconfiguredError, RouteNotFoundError
from predict.problems import CONTENT_TYPE, to_problem
from predict.request import parse_request
from predict.service import BUDGET_SECONDS, PredictionService
from predict.telemetry import Telemetry

ROUTES = {"/v1/predictions": ("POST",), "/v1/health": ("GET",)}

SPARE_SECONDS = 1.0
"""Left of the Lambda's own time limit, so that a timeout is answered and not merely suffered."""


def create_api(service: PredictionService, logger: Logger, telemetry: Telemetry) -> APIGatewayRestResolver:
    """The API in front of `service`; call `.resolve(event, context)` on it."""
    api = APIGatewayRestResolver()

    @api.get("/v1/health")
    def health() -> Response:
        return _respond(200, {"status": "ok"})

    @api.post("/v1/predictions")
    def predictions() -> Response:
        request = parse_request(_body(api), content_type=api.current_event.headers.get("content-type"))
        result = service.predict(request, seconds=_seconds_left(api))
        logger.info(
            "answered",
            texts=len(request.texts),
            unique_texts=result.unique_texts,
            characters=sum(map(len, request.texts)),
            attempts=result.attempts,
            model_version=result.version,
        )
        telemetry.count_predictions(request.texts, result.predictions, result.version)
        body = {"predictions": [one.as_dict() for one in result.predictions], "model": {"version": result.version}}
        return _respond(200, body)

    @api.not_found
    def not_found(_: NotFoundError) -> Response:
        path = api.current_event.path
        if path in ROUTES:
            allowed = ROUTES[path]
            return failed(MethodNotAllowedError(f"{path} takes {' and '.join(allowed)} only.", allowed=allowed))
        return failed(RouteNotFoundError(f"There is no such path. There are {' and '.join(ROUTES)}."))

    @api.exception_handler(Exception)
    def failed(error: Exception) -> Response:
        problem = to_problem(error)
        if isinstance(error, MisconfiguredError):
            logger.error("misconfigured", code=problem.code, reason=error.reason)
        elif problem.status == 500:
            logger.exception("unexpected failure", code=problem.code)
        else:
            logger.info("refused", code=problem.code, status=problem.status, detail=problem.detail)
        body = problem.as_dict(api.current_event.request_context.request_id or "")
        return _respond(problem.status, body, content_type=CONTENT_TYPE, headers=problem.headers)

    return api


def _body(api: APIGatewayRestResolver) -> str | None:
    try:
        return api.current_event.decoded_body
    except ValueError as error:  # not base64, or not UTF-8 in it
        raise InvalidRequestError("The body is not UTF-8 text.") from error


def _seconds_left(api: APIGatewayRestResolver) -> float:
    return min(BUDGET_SECONDS, api.lambda_context.get_remaining_time_in_millis() / 1000 - SPARE_SECONDS)


def _respond(
    status: int,
    body: dict[str, Any],
    *,
    content_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> Response:
    # Set here and not by Powertools' CORS option, which leaves the header out when a request carries no Origin.
    return Response(
        status_code=status,
        content_type=content_type,
        body=json.dumps(body, separators=(",", ":")),
        headers={"Access-Control-Allow-Origin": "*", **(headers or {})},
    )
