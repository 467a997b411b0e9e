"""The input of an execution, checked before anything happens.

``{}`` is a valid input: everything has a default. People type this into the Step Functions console, so each message
names the field, what is wrong with it and what is allowed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ingest.errors import InvalidExecutionInput

ALLOWED_KEYS = ("data_source", "hyperparameters")
_COMMENT_KEY = "Comment"  # the console offers {"Comment": "Insert your JSON here"} as the input of a new execution
_SCHEMES = ("https", "http", "s3")
SOURCE_RULE = "a prefix https://…, http://… or s3://… below which train.json and test.json lie"
_VALUE_RULE = "a number, a string, true or false"

# Limits of SageMaker's CreateTrainingJob.
_MAX_HYPERPARAMETERS = 100
_MAX_VALUE = 2500
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,255}")
_RESERVED_PREFIX = "sagemaker_"  # these choose the program that runs


@dataclass(frozen=True)
class ExecutionInput:
    """A checked input: where the data is (None: decided by the configuration), hyperparameters as strings."""

    data_source: str | None
    hyperparameters: dict[str, str]


def parse(event: Any, allowed_hyperparameters: Collection[str] = ()) -> ExecutionInput:
    """Checks the input of an execution.

    Args:
        event: the input as Step Functions passes it on, parsed from JSON.
        allowed_hyperparameters: names that may occur; any name if empty.

    Raises:
        InvalidExecutionInput: naming the field and what is allowed.
    """
    if not isinstance(event, Mapping):
        raise InvalidExecutionInput("input", f"is {_kind(event)}", "a JSON object, such as {}")
    for key in event:
        if key not in ALLOWED_KEYS and key != _COMMENT_KEY:
            raise InvalidExecutionInput(str(key), "is not known", " and ".join(ALLOWED_KEYS))
    source = event.get("data_source")
    given = event.get("hyperparameters", {})
    if not isinstance(given, Mapping):
        raise InvalidExecutionInput("hyperparameters", f"is {_kind(given)}", 'an object, such as {"epochs": 3}')
    if len(given) > _MAX_HYPERPARAMETERS:
        raise InvalidExecutionInput("hyperparameters", f"has {len(given)} entries", f"at most {_MAX_HYPERPARAMETERS}")
    return ExecutionInput(
        _data_source(source) if "data_source" in event else None,
        {_name(name, allowed_hyperparameters): _value(name, value) for name, value in given.items()},
    )


def _data_source(source: Any) -> str:
    if not isinstance(source, str):
        raise InvalidExecutionInput("data_source", f"is {_kind(source)}", SOURCE_RULE)
    source = source.strip()
    try:
        parts = urlsplit(source)
        host = parts.hostname
        _ = parts.port  # raises if it is no number
    except ValueError as error:
        raise InvalidExecutionInput("data_source", f"is not a URL ({error})", SOURCE_RULE) from error
    if parts.scheme not in _SCHEMES:
        scheme = f"has the scheme {parts.scheme!r}" if parts.scheme else "has no scheme"
        raise InvalidExecutionInput("data_source", scheme, SOURCE_RULE)
    if not host:
        raise InvalidExecutionInput("data_source", "names no host or bucket", SOURCE_RULE)
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise InvalidExecutionInput("data_source", "has a user, password, query or fragment", SOURCE_RULE)
    return source


def _name(name: str, allowed: Collection[str]) -> str:
    field = f"hyperparameters.{name}"
    if name.lower().startswith(_RESERVED_PREFIX):
        raise InvalidExecutionInput(field, "is reserved for SageMaker", _names(allowed))
    if not _NAME.fullmatch(name) or (allowed and name not in allowed):
        raise InvalidExecutionInput(field, "is not a known hyperparameter", _names(allowed))
    return name


def _names(allowed: Collection[str]) -> str:
    return ", ".join(sorted(allowed)) or "names of letters, digits, _ and -"


def _value(name: str, value: Any) -> str:
    """The value as SageMaker wants it: a string."""
    field = f"hyperparameters.{name}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        if len(value) > _MAX_VALUE:
            raise InvalidExecutionInput(field, f"has {len(value)} characters", f"at most {_MAX_VALUE}")
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidExecutionInput(field, f"is {value}", "a finite number")
        # Some JSON writers make 3.0 of 3, which would not be taken for a whole number.
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    raise InvalidExecutionInput(field, f"is {_kind(value)}", _VALUE_RULE)


def _kind(value: Any) -> str:
    """What JSON calls the value."""
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    return "a number"
