"""API Gateway's own errors in the form of the API's: `application/problem+json`, with CORS."""

import json
from pathlib import Path
from typing import Any

from aws_cdk import aws_apigateway as apigateway

from stacks.api.contract import ApiContract
from stacks.common.filled_document import filled


def problems(contract: ApiContract) -> dict[str, dict[str, Any]]:
    """Return response type → what is answered, with the contract's limits."""
    return filled(Path(__file__).with_suffix(".yaml"), {}, contract.limits)


def add_problem_responses(api: apigateway.RestApi, *, contract: ApiContract) -> None:
    """Let an API answer its own errors as problem documents."""
    for response_type, problem in problems(contract).items():
        kind = contract.problem_type(problem["code"])
        head = {name: kind[name] for name in ("type", "title", "status")}
        if response_type.startswith("DEFAULT_"):  # its template can't know the status, and RFC 9457 needs none
            del head["status"]
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
            status_code=str(head["status"]) if "status" in head else None,
            response_headers=headers,
            # API Gateway selects the template by this key alone; the header above names the real type.
            templates={"application/json": _template(head, problem)},
        )


def _template(head: dict[str, Any], problem: dict[str, Any]) -> str:
    """Return the body with API Gateway's variables in it. `messageString` comes quoted, `requestId` doesn't.

    `validationErrorString` is left out on purpose: it holds unescaped quotes, which would break the document.
    """
    detail = json.dumps(problem["detail"]) if "detail" in problem else "$context.error.messageString"
    return (
        f'{json.dumps(head)[:-1]}, "detail": {detail}, "code": "{problem["code"]}", '
        '"request_id": "$context.requestId"}'
    )
