"""What callers get for requests that are wrong: status, kind of problem and CORS, through the whole local stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

pytestmark = pytest.mark.e2e

PREDICTIONS = "/v1/predictions"
JSON = {"Content-Type": "application/json"}
MB = 1024 * 1024


@dataclass(frozen=True)
class Bad:
    """One request and what it gets; `code` None is an answer, not a problem."""

    name: str
    status: int
    code: str | None
    body: bytes | None = None
    method: str = "POST"
    path: str = PREDICTIONS
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))


def text(value: str) -> bytes:
    return json.dumps({"inputs": value}, ensure_ascii=False).encode()


def inputs(value: Any) -> bytes:
    return json.dumps({"inputs": value}).encode()


# Sizes: nothing, the limit of a text and one more, of a list and one more, above 4 MiB, and above the gateway's 10 MB.
TABLE = [
    Bad("no body", 400, "bad_request", b""),
    Bad("white space", 400, "bad_request", b"  \n"),
    Bad("not JSON", 400, "bad_request", b"inputs=hello"),
    Bad("half of JSON", 400, "bad_request", b'{"inputs": "x"'),
    Bad("two documents", 400, "bad_request", b'{"inputs": "x"}{"inputs": "y"}'),
    Bad("a comma too many", 400, "bad_request", b'{"inputs": ["x",]}'),
    Bad("not a number", 400, "bad_request", b'{"inputs": NaN}'),
    Bad("null", 400, "bad_request", b"null"),
    Bad("a number", 400, "bad_request", b"42"),
    Bad("a bare text", 400, "bad_request", b'"hello"'),
    Bad("a bare list", 400, "bad_request", b'["hello"]'),
    Bad("an empty object", 400, "bad_request", b"{}"),
    Bad("inputs is null", 400, "bad_request", inputs(None)),
    Bad("inputs is a number", 400, "bad_request", inputs(1)),
    Bad("inputs is true", 400, "bad_request", inputs(True)),
    Bad("inputs is an object", 400, "bad_request", inputs({"text": "x"})),
    Bad("inputs is empty", 400, "bad_request", inputs("")),
    Bad("an empty list", 400, "bad_request", inputs([])),
    Bad("an empty text in a list", 400, "bad_request", inputs(["x", ""])),
    Bad("a null in a list", 400, "bad_request", inputs(["x", None])),
    Bad("a list of lists", 400, "bad_request", inputs([["x"], ["y"]])),
    Bad("101 texts", 400, "bad_request", inputs(["x"] * 101)),
    Bad("20,001 characters", 400, "bad_request", inputs("x" * 20_001)),
    Bad("parameters is null", 400, "bad_request", b'{"inputs": "x", "parameters": null}'),
    Bad("top_k is 0", 400, "bad_request", b'{"inputs": "x", "parameters": {"top_k": 0}}'),
    Bad("top_k is 1001", 400, "bad_request", b'{"inputs": "x", "parameters": {"top_k": 1001}}'),
    Bad("truncation is a text", 400, "bad_request", b'{"inputs": "x", "parameters": {"truncation": "yes"}}'),
    Bad("another parameter", 400, "bad_request", b'{"inputs": "x", "parameters": {"return_all_scores": true}}'),
    Bad("a text of another service", 400, "bad_request", b'{"text": "x"}'),
    Bad("instances", 400, "bad_request", b'{"instances": ["x"]}'),
    Bad("options", 400, "bad_request", b'{"inputs": "x", "options": {"wait_for_model": true}}'),
    Bad(
        "a text too long for a model that may not shorten it",
        400,
        "text_too_long",
        b'{"inputs": "' + b"word " * 3000 + b'", "parameters": {"truncation": false}}',
    ),
    Bad("an unknown key", 400, "bad_request", b'{"inputs": "x", "input": "y"}'),
    Bad("a key twice", 400, "bad_request", b'{"inputs": "x", "inputs": "y"}'),
    Bad("nested 10,000 deep", 400, "bad_request", b'{"inputs": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    Bad("UTF-16", 400, "bad_request", '{"inputs": "x"}'.encode("utf-16")),
    Bad("no UTF-8", 400, "bad_request", b'{"inputs": \xff\xfe}'),
    Bad("half a surrogate pair", 400, "bad_request", b'{"inputs": "\\ud83d"}'),
    Bad("5 MB of texts", 413, "payload_too_large", inputs(["\u20ac" * 20_000] * 50)),
    Bad("5 MB of white space", 413, "payload_too_large", b'{"inputs": "x"}' + b" " * 5 * MB),
    Bad("11 MB", 413, "payload_too_large", text("x" * 11 * MB)),
    Bad("text/plain", 415, "unsupported_media_type", b"hello", headers={"Content-Type": "text/plain"}),
    Bad("text/csv", 415, "unsupported_media_type", b"a,b", headers={"Content-Type": "text/csv"}),
    Bad(
        "a form",
        415,
        "unsupported_media_type",
        b"inputs=x",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    ),
    Bad("an upload", 415, "unsupported_media_type", b"--x--", headers={"Content-Type": "multipart/form-data"}),
    Bad("GET", 405, "method_not_allowed", None, method="GET"),
    Bad("PUT", 405, "method_not_allowed", text("x"), method="PUT"),
    Bad("DELETE", 405, "method_not_allowed", None, method="DELETE"),
    Bad("PATCH", 405, "method_not_allowed", text("x"), method="PATCH"),
    Bad("POST to health", 405, "method_not_allowed", b"", path="/v1/health"),
    Bad("DELETE of the demo page", 405, "method_not_allowed", None, method="DELETE", path="/"),
    Bad("an unknown path", 404, "not_found", None, method="GET", path="/nowhere"),
    Bad("an unknown version", 404, "not_found", text("x"), path="/v2/predictions"),
    Bad("a path below", 404, "not_found", text("x"), path="/v1/predictions/1"),
    Bad("a path out of the API", 404, "not_found", None, method="GET", path="/..%2f..%2fetc/passwd"),
    Bad("deep is neither", 400, "bad_request", None, method="GET", path="/v1/health?deep=maybe"),
    # Odd, and right.
    Bad("one character", 200, None, text("x")),
    Bad("20,000 characters", 200, None, text("x" * 20_000)),
    Bad("100 texts", 200, None, inputs(["x"] * 100)),
    Bad("emoji", 200, None, text("\U0001f44d\U0001f3fd\u200d\U0001f525 great")),
    Bad("right to left", 200, None, text("\u202eلا يعمل البطارية\u202c")),
    Bad("NUL", 200, None, inputs("a\u0000b")),
    Bad("white space as a text", 200, None, text(" \t ")),
    Bad("a byte order mark in the text", 200, None, text("\ufeffhello")),
    Bad("no content type", 200, None, text("x"), headers={"Content-Type": ""}),
    Bad("a charset", 200, None, text("x"), headers={"Content-Type": "application/json; charset=utf-8"}),
    Bad("all classes", 200, None, b'{"inputs": "x", "parameters": {"top_k": null}}'),
    Bad("more classes than there are", 200, None, b'{"inputs": "x", "parameters": {"top_k": 1000}}'),
    Bad("parameters of the article", 200, None, b'{"inputs": "x", "parameters": {"truncation": true}}'),
]


def ask(project: Any, bad: Bad, **headers: str) -> requests.Response:
    sent = {name: value for name, value in {**bad.headers, **headers}.items() if value}
    return requests.request(bad.method, project.status["api_url"] + bad.path, data=bad.body, headers=sent, timeout=40)


def check(answer: requests.Response, status: int, code: str | None) -> None:
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    if code is None:
        return
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (problem["code"], problem["type"]) == (code, f"urn:problem-type:text-classifier:{code}")
    assert problem["title"] and problem["detail"] and problem["request_id"]
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
    assert ("Retry-After" in answer.headers) is (status in (429, 503))
    assert ("Allow" in answer.headers) is (status == 405)


@pytest.mark.parametrize("bad", TABLE, ids=lambda bad: bad.name)
def test_wrong_requests_get_their_problem(project: Any, bad: Bad) -> None:
    """Status, problem type and CORS headers of the table; nothing is ever the service's fault."""
    check(ask(project, bad), bad.status, bad.code)


def test_a_browser_may_ask_first(project: Any) -> None:
    """The preflight of a JSON request with a key is answered for any origin."""
    answer = requests.options(
        project.status["api_url"] + PREDICTIONS,
        headers={"Origin": "https://example.com", "Access-Control-Request-Method": "POST"},
        timeout=40,
    )
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "x-api-key" in answer.headers["Access-Control-Allow-Headers"].lower()


@pytest.fixture(scope="module")
def keyed(project: Any) -> Iterator[tuple[Any, str]]:
    """The same API, asking for a key and letting few requests through; as it was afterwards."""
    options = "-c api.api_key_required=true -c api.predictions_rate_limit=1 -c api.predictions_burst_limit=5"
    deploy = "ARGS=deploy text-classifier-local-api --exclusively --require-approval never"
    project.make("cdk", f"{deploy} {options}")
    try:
        key_id = project.outputs("api")["ApiKeyId"]
        key = project.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"]
        yield project, key
    finally:
        project.make("cdk", deploy)


@pytest.mark.parametrize("key", ["", "wrong", "x" * 200])
def test_without_a_valid_key_there_is_no_answer(keyed: tuple[Any, str], key: str) -> None:
    """A missing or wrong key is 403 forbidden."""
    check(ask(keyed[0], Bad("key", 403, "forbidden", text("x")), **{"x-api-key": key}), 403, "forbidden")


def test_the_contract_of_a_keyed_api_says_so(keyed: tuple[Any, str]) -> None:
    """The served document asks for the key, and health stays open."""
    url = keyed[0].status["api_url"]
    document = requests.get(f"{url}/openapi.json", timeout=40).json()
    assert document["paths"]["/v1/predictions"]["post"]["security"] == [{"ApiKey": []}]
    assert requests.get(f"{url}/v1/health", timeout=40).status_code == 200


def test_a_burst_of_ten_times_the_throttle_is_told_to_slow_down(keyed: tuple[Any, str]) -> None:
    """Of 50 requests at once with a valid key some are answered, the others get 429 throttled with Retry-After."""
    project, key = keyed
    with ThreadPoolExecutor(50) as pool:
        burst = Bad("burst", 0, None, text("x"))
        answers = list(pool.map(lambda _: ask(project, burst, **{"x-api-key": key}), range(50)))
    for answer in answers:
        check(answer, answer.status_code, "throttled" if answer.status_code == 429 else None)
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 429}
    assert statuses.count(429) >= 30
