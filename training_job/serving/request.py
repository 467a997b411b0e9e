"""Parse and check a request, before any tokenising."""

import json
from dataclasses import dataclass
from typing import Any

from serving.errors import RequestError

EXPECTED = 'expected {"inputs": "a text"} or {"inputs": ["a text", "another"]}'

MAX_TEXTS = 100
"""Texts of a JSON request: the API's limit, enforced again for callers who reach the endpoint directly."""

MAX_CHARACTERS = 20_000
"""Unicode characters of a text."""

MAX_TOP_K = 1_000
"""Largest `top_k`; null asks for all labels."""

PARAMETERS = ("top_k", "truncation")
ELSEWHERE = ("text", "texts", "text_inputs", "instances", "text_pair")
"""Keys of requests to other services, which a refusal may quote. Any other unknown key may be a text."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """How to answer for a text."""

    top_k: int | None = 0
    """Number of labels in `scores`: 0, if the request does not ask for it, for no `scores`; None for all labels."""
    truncation: bool = True
    """Whether a text that is too long is truncated, or refused."""


DEFAULTS = Parameters()


@dataclass(frozen=True, slots=True)
class Inputs:
    """The texts of a request."""

    texts: list[str]
    parameters: list[Parameters]
    """One for each text."""
    naming: str
    """The name of a text in messages, a format of its index (0) and its number (1)."""

    def name(self, index: int) -> str:
        """Return what messages call the text at `index`."""
        return self.naming.format(index, index + 1)


def parse_inputs(body: bytes | bytearray | str) -> Inputs:
    """Return the content of a body like `{"inputs": …, "parameters": {…}}`.

    Raises RequestError with a message that says what is allowed and never quotes a text.
    """
    document = _document(body)
    inputs = document["inputs"]
    texts = [inputs] if isinstance(inputs, str) else inputs
    if not isinstance(texts, list):
        raise RequestError(f"inputs is {_json_type(inputs)}{_pair(inputs)}: {EXPECTED}")
    if not 1 <= len(texts) <= MAX_TEXTS:
        raise RequestError(f"inputs has {len(texts)} texts: allowed are 1 to {MAX_TEXTS}")
    naming = "inputs" if isinstance(inputs, str) else "inputs[{0}]"
    parsed = Inputs(texts, [_parameters(document)] * len(texts), naming)
    for index, text in enumerate(texts):
        check_text(text, parsed.name(index))
    return parsed


def parse_record(line: bytes | bytearray, name: str) -> tuple[str, Parameters]:
    """Return the content of a line like `{"inputs": "a text"}`; `name` is the line's name in messages."""
    try:
        document = _document(line)
        return check_text(document["inputs"], "inputs"), _parameters(document)
    except RequestError as error:
        raise RequestError(f"{name}: {error.message}") from error


def check_text(text: Any, name: str) -> str:
    """Return `text` if it is acceptable; raise RequestError with `name` otherwise."""
    if not isinstance(text, str):
        raise RequestError(f"{name} is {_json_type(text)}{_pair(text)}: expected a text")
    if not 1 <= len(text) <= MAX_CHARACTERS:
        raise RequestError(f"{name} has {len(text)} characters: allowed are 1 to {MAX_CHARACTERS}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RequestError(f"{name} holds half of a surrogate pair: expected valid Unicode") from error
    return text


def _document(body: bytes | bytearray | str) -> dict[str, Any]:
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
    if unknown := document.keys() - {"inputs", "parameters"}:
        if known := [key for key in ELSEWHERE if key in unknown]:
            raise RequestError(f"the body has the key {known[0]}{_pair(known)}: {EXPECTED}")
        hint = f"; {' and '.join(PARAMETERS)} belong into parameters" if unknown & set(PARAMETERS) else ""
        raise RequestError(f"the body has {len(unknown)} unknown key(s): allowed are inputs and parameters{hint}")
    if "inputs" not in document:
        raise RequestError(f"the body has no inputs: {EXPECTED}")
    return document


def _parameters(document: dict[str, Any]) -> Parameters:
    if "parameters" not in document:
        return DEFAULTS
    given = document["parameters"]
    if not isinstance(given, dict):
        raise RequestError(f'parameters is {_json_type(given)}: expected an object such as {{"top_k": 3}}')
    if unknown := given.keys() - set(PARAMETERS):
        raise RequestError(f"parameters has {len(unknown)} unknown key(s): allowed are {' and '.join(PARAMETERS)}")
    top_k, truncation = given.get("top_k", 0), given.get("truncation", True)
    is_number = isinstance(top_k, int) and not isinstance(top_k, bool)
    if "top_k" in given and top_k is not None and not (is_number and 1 <= top_k <= MAX_TOP_K):
        what = "another number" if isinstance(top_k, int | float) and not isinstance(top_k, bool) else _json_type(top_k)
        raise RequestError(f"top_k is {what}: allowed are 1 to {MAX_TOP_K}, and null for all labels")
    if not isinstance(truncation, bool):
        raise RequestError(f"truncation is {_json_type(truncation)}: allowed are true and false")
    return Parameters(top_k, truncation)


def _pair(value: Any) -> str:
    return (
        ", and a pair of texts cannot be classified" if isinstance(value, dict | list) and "text_pair" in value else ""
    )


def _json_type(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}
    return names[type(value)]
