"""Parse and check a request's texts, before any tokenising."""

from __future__ import annotations

import json
from typing import Any

from serving.errors import RequestError

EXPECTED = 'expected {"inputs": "a text"} or {"inputs": ["a text", "another"]}'

MAX_TEXTS = 100
"""Texts of a JSON request: the API's limit, enforced again for callers who reach the endpoint directly."""

MAX_CHARACTERS = 20_000
"""Unicode characters of a text."""


def parse_texts(body: bytes | bytearray | str) -> list[str]:
    """Return the texts of a body like `{"inputs": …}`; `parameters` is allowed and ignored.

    Raises RequestError with a message that says what is allowed and never quotes a text.
    """
    inputs = _inputs(body)
    texts = [inputs] if isinstance(inputs, str) else inputs
    if not isinstance(texts, list):
        raise RequestError(f"inputs is {_json_type(inputs)}: {EXPECTED}")
    if not 1 <= len(texts) <= MAX_TEXTS:
        raise RequestError(f"inputs has {len(texts)} texts: allowed are 1 to {MAX_TEXTS}")
    for index, text in enumerate(texts):
        check_text(text, "inputs" if isinstance(inputs, str) else f"inputs[{index}]")
    return texts


def parse_record(line: bytes | bytearray, name: str) -> str:
    """Return the text of a line like `{"inputs": "a text"}`; `name` is the line's name in messages."""
    try:
        return check_text(_inputs(line), "inputs")
    except RequestError as error:
        raise RequestError(f"{name}: {error.message}") from error


def check_text(text: Any, name: str) -> str:
    """Return `text` if it is acceptable; raise RequestError with `name` otherwise."""
    if not isinstance(text, str):
        raise RequestError(f"{name} is {_json_type(text)}: expected a text")
    if not 1 <= len(text) <= MAX_CHARACTERS:
        raise RequestError(f"{name} has {len(text)} characters: allowed are 1 to {MAX_CHARACTERS}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RequestError(f"{name} holds half of a surrogate pair: expected valid Unicode") from error
    return text


def _inputs(body: bytes | bytearray | str) -> Any:
    try:
        document = json.loads(body)
    except UnicodeDecodeError as error:
        raise RequestError(f"the body is not UTF-8 (byte {error.start}): {EXPECTED} as UTF-8") from error
    except RecursionError as error:
        raise RequestError(f"the body is nested too deeply: {EXPECTED}") from error
    except ValueError as error:
        where = f" (position {error.pos})" if isinstance(error, json.JSONDecodeError) else ""
        raise RequestError(f"the body is not JSON{where}: {EXPECTED}") from error
    if not isinstance(document, dict):
        raise RequestError(f"the body is {_json_type(document)}: {EXPECTED}")
    unknown = document.keys() - {"inputs", "parameters"}
    if unknown:
        raise RequestError(f"the body has {len(unknown)} unknown key(s): allowed are inputs and parameters")
    if "inputs" not in document:
        raise RequestError(f"the body has no inputs: {EXPECTED}")
    return document["inputs"]


def _json_type(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}
    return names[type(value)]
