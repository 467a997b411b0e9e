"""API Gateway's own errors in the form of the API's: ``application/problem+json``, with CORS."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus

from aws_cdk import aws_apigateway as apigateway


@dataclass(frozen=True)
class Problem:
    """One kind of error that API Gateway answers by itself.

    Attributes:
        status: HTTP status; none keeps the one API Gateway chose.
        code: the API's stable name for it.
        detail: what is allowed or what to do; none repeats API Gateway's message.
        retry_after: seconds, sent as ``Retry-After``.
    """

    status: HTTPStatus | None
    code: str
    detail: str | None = None
    retry_after: int | None = None


def problems(body_rule: str) -> dict[str, Problem]:
    """Response type → problem.

    Args:
        body_rule: what a request body has to look like, for the answer to one that doesn't.
    """
    media_type = "Send JSON with the header Content-Type: application/json."
    return {
        "BAD_REQUEST_BODY": Problem(HTTPStatus.BAD_REQUEST, "bad_request", body_rule),
        "BAD_REQUEST_PARAMETERS": Problem(HTTPStatus.BAD_REQUEST, "bad_request"),
        "UNSUPPORTED_MEDIA_TYPE": Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", media_type),
        "REQUEST_TOO_LARGE": Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "payload_too_large", "A request may hold at most 10 MB."
        ),
        # What API Gateway calls a missing token is, in an API without tokens, a path that doesn't exist.
        "MISSING_AUTHENTICATION_TOKEN": Problem(
            HTTPStatus.NOT_FOUND, "not_found", "There is no such path here, or not with this method."
        ),
        "RESOURCE_NOT_FOUND": Problem(HTTPStatus.NOT_FOUND, "not_found", "There is no such path here."),
        "INVALID_API_KEY": Problem(HTTPStatus.FORBIDDEN, "forbidden", "Send a valid API key in the header x-api-key."),
        "THROTTLED": Problem(HTTPStatus.TOO_MANY_REQUESTS, "throttled", "Slow down and try again.", 1),
        "QUOTA_EXCEEDED": Problem(HTTPStatus.TOO_MANY_REQUESTS, "throttled", "This API key's quota is used up."),
        "INTEGRATION_TIMEOUT": Problem(HTTPStatus.GATEWAY_TIMEOUT, "model_timeout", "It took too long; try again.", 5),
        "DEFAULT_4XX": Problem(None, "bad_request"),
        "DEFAULT_5XX": Problem(None, "internal"),
    }


def add_problem_responses(api: apigateway.RestApi, *, body_rule: str) -> None:
    """Let ``api`` answer its own errors as problem documents.

    Args:
        api: the REST API.
        body_rule: see `problems`.
    """
    for response_type, problem in problems(body_rule).items():
        headers = {
            "Access-Control-Allow-Origin": "'*'",
            "Access-Control-Expose-Headers": "'Retry-After'",
            "Content-Type": "'application/problem+json'",
        }
        if problem.retry_after:
            headers["Retry-After"] = f"'{problem.retry_after}'"
        api.add_gateway_response(
            "".join(word.capitalize() for word in response_type.split("_")),
            type=apigateway.ResponseType.of(response_type),
            status_code=str(problem.status.value) if problem.status else None,
            response_headers=headers,
            # API Gateway picks the template by this key alone; the header above names the real type.
            templates={"application/json": problem_template(problem)},
        )


def problem_template(problem: Problem) -> str:
    """The body with API Gateway's variables in it. `messageString` comes quoted, `requestId` doesn't.

    `validationErrorString` is left out on purpose: it holds unescaped quotes, which would break the document.
    """
    # A default answers for many statuses, which the template can't know: it leaves the member out, as RFC 9457 allows.
    head: dict[str, object] = {"type": "about:blank", "title": "Error"}
    if problem.status:
        head |= {"title": problem.status.phrase, "status": problem.status.value}
    detail = "$context.error.messageString" if problem.detail is None else json.dumps(problem.detail)
    tail = f', "detail": {detail}, "code": "{problem.code}", "request_id": "$context.requestId"}}'
    return json.dumps(head)[:-1] + tail
