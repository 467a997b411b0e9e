"""From a request's bytes to its texts; everything wrong is found here, before any tokenising."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from serving.errors import RequestError

EXPECTED = 'expected {"inputs": "a text"} or {"inputs": ["a text", "another"]}'


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one request may ask for; the same as in front of the endpoint, for callers who come directly."""

    max_texts: int = 100
    max_characters: int = 20_000
    """Unicode characters a text."""


def parse_texts(body: bytes | bytearray | str, limits: Limits | None = None) -> list[str]:
    """The texts of a body like `{"inputs": …}`; `parameters` is allowed and ignored.

    Raises RequestError with a message that says what is allowed and never quotes a text.
    """
    limits = limits or Limits()
    inputs = _inputs(body)
    texts = [inputs] if isinstance(inputs, str) else inputs
    if not isinstance(texts, list):
        raise RequestError(f"inputs is {_json_type(inputs)}: {EXPECTED}")
    if not 1 <= len(texts) <= limits.max_texts:
        raise RequestError(f"inputs has {len(texts)} texts: allowed are 1 to {limits.max_texts}")
    for index, text in enumerate(texts):
        check_text(text, "inputs" if isinstance(inputs, str) else f"inputs[{index}]", limits)
    return texts


def parse_record(line: bytes | bytearray, name: str, limits: Limits) -> str:
    """The one text of a line like `{"inputs": "a text"}`; `name` is what a message calls the line."""
    try:
        return check_text(_inputs(line), "inputs", limits)
    except RequestError as error:
        raise RequestError(f"{name}: {error.message}") from error


def check_text(text: Any, name: str, limits: Limits) -> str:
    """`text` itself where it is an acceptable one; raises RequestError with `name` otherwise."""
    if not isinstance(text, str):
        raise RequestError(f"{name} is {_json_type(text)}: expected a text")
    if not 1 <= len(text) <= limits.max_characters:
        raise RequestError(f"{name} has {len(text)} characters: allowed are 1 to {limits.max_characters}")
    if not _is_unicode(text):
        raise RequestError(f"{name} holds half of a surrogate pair: expected valid Unicode")
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
    unknown = sorted(set(document) - {"inputs", "parameters"})
    if unknown:
        raise RequestError(f"the body has {len(unknown)} unknown key(s): allowed are inputs and parameters")
    if "inputs" not in document:
        raise RequestError(f"the body has no inputs: {EXPECTED}")
    return document["inputs"]


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _json_type(value: Any) -> str:
    names: dict[type, str] = {
        type(None): "null",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
    }
    return names[type(value)]
