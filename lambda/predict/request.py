"""Reads a request's body. API Gateway refuses most bad bodies first; this says precisely why."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from predict.errors import InvalidRequestError, PayloadTooLargeError, UnsupportedMediaTypeError
from shared.words import any_of, kind, nearest, shortened

SCHEMA_FILE = Path(__file__).with_name("schema.json")
REQUEST_SCHEMA: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
"""The body's JSON Schema (draft 4), as API Gateway enforces it."""

_LIST = REQUEST_SCHEMA["properties"]["inputs"]["oneOf"][1]
MAX_TEXTS: int = _LIST["maxItems"]
MAX_CHARACTERS: int = _LIST["items"]["maxLength"]
"""Unicode characters in a text."""
MAX_BODY_BYTES = 4 * 1024 * 1024
"""Of a whole body: the limit of a serverless endpoint (docs.aws.amazon.com/sagemaker, serverless endpoints)."""

_PARAMETERS: dict[str, Any] = REQUEST_SCHEMA["properties"]["parameters"]["properties"]
MAX_TOP_K: int = _PARAMETERS["top_k"]["maximum"]

EXPECTED = 'Expected {"inputs": "a text"} or {"inputs": ["a text", "another"]}.'

# Keys of requests to other services, and what the same request is here.
_ELSEWHERE = {
    "text": EXPECTED,
    "texts": EXPECTED,
    "instances": EXPECTED,
    "input": EXPECTED,
    "options": "Leave it out: the model is always waited for, and nothing is cached.",
    "top_k": 'Put it into parameters: {"inputs": "a text", "parameters": {"top_k": 3}}.',
    "truncation": 'Put it into parameters: {"inputs": "a text", "parameters": {"truncation": false}}.',
}
_PARAMETERS_ELSEWHERE = {
    "return_all_scores": 'Send {"top_k": null} for the probabilities of all classes.',
    "function_to_apply": "Leave it out: the model applies the function that it was trained with.",
    "max_length": "Leave it out: the model has the length that it was trained with.",
    "padding": "Leave it out: texts are padded as the model needs it.",
}


@dataclass(frozen=True)
class PredictionRequest:
    """1 to `MAX_TEXTS` texts, and `top_k` and `truncation` as far as the caller sent them."""

    texts: tuple[str, ...]
    parameters: dict[str, Any] = field(default_factory=dict)


def parse_request(body: str | None, *, content_type: str | None) -> PredictionRequest:
    """Check a body and return its content; raise PredictError, whose message never quotes a text.

    A missing content type means JSON, as it does for API Gateway.
    """
    if content_type is not None and content_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaTypeError
    size = len((body or "").encode(errors="surrogatepass"))
    if size > MAX_BODY_BYTES:
        raise PayloadTooLargeError(
            f"The body has {size} bytes. Allowed are {MAX_BODY_BYTES}: send the texts in several requests."
        )
    document = _document(body)
    inputs = document["inputs"]
    texts = [inputs] if isinstance(inputs, str) else inputs
    if not isinstance(texts, list):
        pair = " A pair of texts cannot be classified." if isinstance(inputs, dict) and "text_pair" in inputs else ""
        raise InvalidRequestError(f"inputs is {kind(inputs)}.{pair} {EXPECTED}")
    if not 1 <= len(texts) <= MAX_TEXTS:
        raise InvalidRequestError(f"inputs has {len(texts)} texts. Allowed are 1 to {MAX_TEXTS}.")
    for index, text in enumerate(texts):
        _check_text("inputs" if isinstance(inputs, str) else f"inputs[{index}]", text)
    return PredictionRequest(tuple(texts), _parameters(document.get("parameters", {})))


def _document(body: str | None) -> dict[str, Any]:
    if not body:
        raise InvalidRequestError(f"The body is empty. {EXPECTED}")
    try:
        document = json.loads(body, object_pairs_hook=_without_duplicates)
    except RecursionError as error:
        raise InvalidRequestError(f"The body is nested too deeply. {EXPECTED}") from error
    except ValueError as error:
        where = f" (position {error.pos})" if isinstance(error, json.JSONDecodeError) else ""
        raise InvalidRequestError(f"The body is not JSON{where}. {EXPECTED}") from error
    if not isinstance(document, dict):
        raise InvalidRequestError(f"The body is {kind(document)}. {EXPECTED}")
    _check_keys("body", document, REQUEST_SCHEMA["properties"], _ELSEWHERE)
    if "inputs" not in document:
        raise InvalidRequestError(f"The body has no inputs. {EXPECTED}")
    return document


def _parameters(parameters: Any) -> dict[str, Any]:
    if not isinstance(parameters, dict):
        raise InvalidRequestError(f'parameters is {kind(parameters)}. Expected an object such as {{"top_k": 3}}.')
    _check_keys("object parameters", parameters, _PARAMETERS, _PARAMETERS_ELSEWHERE)
    top_k = parameters.get("top_k")
    # 3.0 is a whole number in JSON Schema.
    whole = isinstance(top_k, int | float) and not isinstance(top_k, bool) and top_k == top_k // 1
    if top_k is not None and not (whole and 1 <= top_k <= MAX_TOP_K):
        given = shortened(str(top_k)) if isinstance(top_k, int | float) else kind(top_k)
        raise InvalidRequestError(f"top_k is {given}. Allowed are 1 to {MAX_TOP_K}, and null for all classes.")
    if not isinstance(parameters.get("truncation", True), bool):
        raise InvalidRequestError(f"truncation is {kind(parameters['truncation'])}. Allowed are true and false.")
    return {name: int(value) if name == "top_k" and value is not None else value for name, value in parameters.items()}


def _check_keys(name: str, given: dict[str, Any], allowed: dict[str, Any], elsewhere: dict[str, str]) -> None:
    """Refuse a key that is not allowed. Only a key known from other services is quoted, as others may be a text."""
    unknown = [key for key in given if key not in allowed]
    if not unknown:
        return
    if known := next((key for key in unknown if key in elsewhere), None):
        raise InvalidRequestError(f"The {name} has the key {known}. {elsewhere[known]}")
    suggestion = nearest(unknown[0], allowed)
    raise InvalidRequestError(f"The {name} has unknown keys. Allowed are {any_of(allowed)}{suggestion}.")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse duplicate keys: the gateway might have checked another of the two values than the one used here."""
    document = dict(pairs)
    if len(document) != len(pairs):
        raise InvalidRequestError(f"The body has the same key twice. {EXPECTED}")
    return document


def _check_text(name: str, text: Any) -> None:
    if not isinstance(text, str):
        raise InvalidRequestError(f"{name} is {kind(text)}. Expected a text.")
    if not 1 <= len(text) <= MAX_CHARACTERS:
        raise InvalidRequestError(f"{name} has {len(text)} characters. Allowed are 1 to {MAX_CHARACTERS}.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequestError(f"{name} holds half of a surrogate pair. Expected valid Unicode.") from error
