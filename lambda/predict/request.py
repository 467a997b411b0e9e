"""Reads the texts of a request's body. API Gateway refuses most bad bodies first; this says precisely why."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from predict.errors import InvalidRequestError, PayloadTooLargeError, UnsupportedMediaTypeError
from shared.words import kind

SCHEMA_FILE = Path(__file__).with_name("schema.json")
REQUEST_SCHEMA: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
"""The body's JSON Schema (draft 4), as API Gateway enforces it."""

_LIST = REQUEST_SCHEMA["properties"]["inputs"]["oneOf"][1]
MAX_TEXTS: int = _LIST["maxItems"]
MAX_CHARACTERS: int = _LIST["items"]["maxLength"]
"""Unicode characters in a text."""
MAX_BODY_BYTES = 4 * 1024 * 1024
"""Of a whole body: the limit of a serverless endpoint (docs.aws.amazon.com/sagemaker, serverless endpoints)."""

EXPECTED = 'Expected {"inputs": "a text"} or {"inputs": ["a text", "another"]}.'


@dataclass(frozen=True)
class PredictionRequest:
    """The texts to classify, 1 to `MAX_TEXTS` of them."""

    texts: tuple[str, ...]


def parse_request(body: str | None, *, content_type: str | None) -> PredictionRequest:
    """Check a body and return its texts; raise PredictError, whose message never quotes a text.

    A missing content type means JSON, as it does for API Gateway.
    """
    if content_type is not None and content_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaTypeError
    size = len((body or "").encode(errors="surrogatepass"))
    if size > MAX_BODY_BYTES:
        raise PayloadTooLargeError(
            f"The body has {size} bytes. Allowed are {MAX_BODY_BYTES}: send the texts in several requests."
        )
    inputs = _inputs(body)
    texts = [inputs] if isinstance(inputs, str) else inputs
    if not isinstance(texts, list):
        raise InvalidRequestError(f"inputs is {kind(inputs)}. {EXPECTED}")
    if not 1 <= len(texts) <= MAX_TEXTS:
        raise InvalidRequestError(f"inputs has {len(texts)} texts. Allowed are 1 to {MAX_TEXTS}.")
    for index, text in enumerate(texts):
        _check_text("inputs" if isinstance(inputs, str) else f"inputs[{index}]", text)
    return PredictionRequest(tuple(texts))


def _inputs(body: str | None) -> Any:
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
    if "inputs" not in document:
        raise InvalidRequestError(f"The body has no inputs. {EXPECTED}")
    if set(document) - set(REQUEST_SCHEMA["properties"]):
        raise InvalidRequestError(f"The body has unknown keys. Allowed are {', '.join(REQUEST_SCHEMA['properties'])}.")
    return document["inputs"]


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
