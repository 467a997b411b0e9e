"""API Gateway's own errors in the form of the API's: `application/problem+json`, with CORS."""

import json
from dataclasses import dataclass

from aws_cdk import aws_apigateway as apigateway

from stacks.api.contract import ApiContract


@dataclass(frozen=True)
class Problem:
    """One kind of error that API Gateway answers by itself, under the contract's code.

    Without a `detail` it repeats API Gateway's message. A `default` covers many statuses; the one that applies is sent.
    """

    code: str
    detail: str | None = None
    default: bool = False


def problems(contract: ApiContract) -> dict[str, Problem]:
    """Return response type → problem, for every type that a public API with keys and a firewall can meet."""
    return {
        "BAD_REQUEST_BODY": Problem("bad_request", contract.body_rule),
        "BAD_REQUEST_PARAMETERS": Problem("bad_request"),
        "UNSUPPORTED_MEDIA_TYPE": Problem(
            "unsupported_media_type",
            'Send JSON such as {"inputs": "a text"} with the header Content-Type: application/json.',
        ),
        "REQUEST_TOO_LARGE": Problem(
            "payload_too_large", f"A body may have at most {contract.document['x-limits']['bodyBytes']} bytes."
        ),
        # In an API without tokens, API Gateway reports a path that doesn't exist as a missing token.
        "MISSING_AUTHENTICATION_TOKEN": Problem("not_found", "There is no such path here."),
        "RESOURCE_NOT_FOUND": Problem("not_found", "There is no such path here."),
        "INVALID_API_KEY": Problem("forbidden", "Send a valid API key in the header x-api-key."),
        "ACCESS_DENIED": Problem("forbidden", "This API may not be called from your address."),
        "WAF_FILTERED": Problem("blocked", "The firewall refused the request: too many, too large, or malformed."),
        "THROTTLED": Problem("throttled", "Slow down and try again."),
        "QUOTA_EXCEEDED": Problem("quota_exceeded", "This API key has made as many requests as it may today."),
        "INTEGRATION_TIMEOUT": Problem("model_timeout", "It took too long; try again."),
        "DEFAULT_4XX": Problem("bad_request", "The gateway refused the request.", default=True),
        "DEFAULT_5XX": Problem(
            "internal", "The gateway could not have it answered. Try again in a moment.", default=True
        ),
    }


def add_problem_responses(api: apigateway.RestApi, *, contract: ApiContract) -> None:
    """Let an API answer its own errors as problem documents."""
    for response_type, problem in problems(contract).items():
        kind = contract.problem_type(problem.code)
        headers = {
            "Access-Control-Allow-Origin": "'*'",
            "Access-Control-Expose-Headers": "'Retry-After'",
            "Cache-Control": "'no-store'",
            "Content-Type": "'application/problem+json'",
        }
        if "retryAfter" in kind:
            headers["Retry-After"] = f"'{kind['retryAfter']}'"
        api.add_gateway_response(
            "".join(word.capitalize() for word in response_type.split("_")),
            type=apigateway.ResponseType.of(response_type),
            status_code=None if problem.default else str(kind["status"]),
            response_headers=headers,
            # API Gateway selects the template by this key alone; the header above names the real type.
            templates={"application/json": problem_template(problem, kind)},
        )


def problem_template(problem: Problem, kind: dict[str, object]) -> str:
    """Return the body with API Gateway's variables in it. `messageString` comes quoted, `requestId` doesn't.

    `validationErrorString` is left out on purpose: it holds unescaped quotes, which would break the document.
    """
    head = {"type": kind["type"], "title": kind["title"]}
    # A default covers many statuses, which the template can't know: it omits the member, as RFC 9457 allows.
    if not problem.default:
        head["status"] = kind["status"]
    detail = "$context.error.messageString" if problem.detail is None else json.dumps(problem.detail)
    return (
        f'{json.dumps(head)[:-1]}, "detail": {detail}, "code": "{problem.code}", "request_id": "$context.requestId"}}'
    )
