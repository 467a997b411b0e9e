"""Checks requests against botocore's model of the service and reports problems in AWS's words."""

import functools
import re
from collections.abc import Iterator, Mapping, Sized
from datetime import datetime
from numbers import Real
from typing import Any

from botocore import __version__ as botocore_version
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from botocore.utils import parse_to_aware_datetime

from local.sagemaker.common.errors import InvalidRequestError, ServiceError

# Unicode classes that `re` lacks. Letters and digits are exact. Marks, symbols and punctuation are approximated by
# their blocks, which accepts too much rather than too little.
_SYMBOLS = (
    r"!-/:-@\[-`{-~\u00a1-\u00bf\u00d7\u00f7\u2010-\u2bff\u3001-\u303f\ufe10-\ufe6f\uff01-\uff65\U0001f000-\U0001fbff"
)
_UNICODE_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": " \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
    r"\p{M}": "\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff\ufe00-\ufe0f",
    r"\p{S}": _SYMBOLS,
    r"\p{P}": _SYMBOLS,
    r"\p{Alnum}": "a-zA-Z0-9",
}
_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (Real,),
    "double": (Real,),
    "boolean": (bool,),
    "list": (list, tuple),
    "map": (Mapping,),
    "structure": (Mapping,),
    "timestamp": (Real, str, datetime),
    "blob": (str, bytes),
}


@functools.lru_cache(maxsize=1)
def service_model() -> ServiceModel:
    """Return botocore's model of the SageMaker API. The first call takes a quarter of a second."""
    return ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")


def validate(action: str, params: Mapping[str, Any]) -> None:
    """Check the request of `action`.

    Raises InvalidRequestError when a required member is missing or a value breaks an enum, pattern, length or range,
    and ServiceError (SerializationException) when a member has the wrong JSON type.
    """
    shape = service_model().operation_model(action).input_shape
    problems = list(_problems(shape, params, "")) if shape is not None else []
    if problems:
        noun = "error" if len(problems) == 1 else "errors"
        raise InvalidRequestError(f"{len(problems)} validation {noun} detected: " + "; ".join(problems))


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """Yield the broken constraints of `value`, depth first, each in AWS's words."""
    _check_type(shape, value, path)
    yield from (_complaint(value, path, constraint) for constraint in _constraints(shape, value))
    if isinstance(shape, StructureShape):
        yield from _structure_problems(shape, value, path)
    elif isinstance(shape, ListShape):
        for number, item in enumerate(value, start=1):
            yield from _problems(shape.member, item, f"{path}.{number}.member")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from _map_entry_problems(shape, key, item, value, path)


def _structure_problems(shape: StructureShape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    unknown = sorted(set(value) - set(shape.members))
    if unknown:
        # AWS ignores unknown members; Step Functions and CloudFormation refuse them. A refusal reveals a misspelling.
        where = f" of '{path}'" if path else ""
        raise InvalidRequestError(
            f"Unknown parameter{where}: {', '.join(unknown)} (botocore {botocore_version}, {shape.name})."
        )
    for name in shape.required_members:
        if value.get(name) is None:
            yield _complaint(None, _child(path, name), "Member must not be null")
    for name, item in value.items():
        if item is not None:
            yield from _problems(shape.members[name], item, _child(path, name))


def _map_entry_problems(shape: MapShape, key: str, item: Any, whole: Mapping[str, Any], path: str) -> Iterator[str]:
    if keys := list(_constraints(shape.key, key)):
        yield _complaint(dict(whole), path, f"Map keys must satisfy constraint: [{', '.join(keys)}]")
    if shape.value.type_name != "string":
        yield from _problems(shape.value, item, f"{path}.{key}.member")
        return
    _check_type(shape.value, item, path)
    if values := list(_constraints(shape.value, item)):
        yield _complaint(dict(whole), path, f"Map value must satisfy constraint: [{', '.join(values)}]")


def _constraints(shape: Shape, value: Any) -> Iterator[str]:
    """Yield the constraints that `value` itself breaks, without those of its members."""
    if enum := getattr(shape, "enum", None):
        if value not in enum:
            yield f"Member must satisfy enum value set: [{', '.join(enum)}]"
        return
    measure, size = ("length", len(value)) if isinstance(value, Sized) else ("value", value)
    if "min" in shape.metadata and size < shape.metadata["min"]:
        yield f"Member must have {measure} greater than or equal to {shape.metadata['min']}"
    if "max" in shape.metadata and size > shape.metadata["max"]:
        yield f"Member must have {measure} less than or equal to {shape.metadata['max']}"
    pattern = shape.metadata.get("pattern")
    if pattern and not matches(pattern, value):
        yield f"Member must satisfy regular expression pattern: {pattern}"


def _check_type(shape: Shape, value: Any, path: str) -> None:
    allowed = _JSON_TYPES.get(shape.type_name, (object,))
    fits = isinstance(value, allowed)
    if isinstance(value, bool) and shape.type_name != "boolean":
        fits = False
    if fits and shape.type_name == "timestamp":
        try:
            parse_to_aware_datetime(value)
        except (ValueError, TypeError, OverflowError):
            fits = False
    if not fits:
        raise ServiceError(
            "SerializationException",
            f"Value of type {type(value).__name__} at '{path or 'request'}' can not be converted to {shape.type_name}",
        )


def _complaint(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def _child(path: str, name: str) -> str:
    """Return the path of a member as AWS writes it: `ProductionVariants` → `productionVariants`."""
    camel = name[:1].lower() + name[1:]
    return f"{path}.{camel}" if path else camel


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    for java, python in _UNICODE_CLASSES.items():
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern)
    except re.error:
        return None


def matches(pattern: str, value: str) -> bool:
    """Return whether the whole of `value` matches a pattern of the service model, which is written for Java.

    A pattern that cannot be translated matches everything.
    """
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None
