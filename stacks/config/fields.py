"""The base of every configuration block: a pydantic model whose errors name the value, the problem and the remedy."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from stacks.errors import ConfigError

AutoOrNumber = Literal["auto"] | float

_KINDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    AutoOrNumber: "auto, or a number",
    str: "a text",
    tuple[str, ...]: "a list of texts",
    Mapping[str, str]: "a block of names and values, each a text, a number or true/false",
}
_UNFIT = "unfit"
_CONSTRAINTS = {"greater_than_equal", "less_than_equal", "multiple_of", "string_pattern_mismatch", "string_too_long"}


class Section(BaseModel):
    """A block of the configuration. The text below a field is its description; its annotation says what is allowed."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _from_context(cls, value: Any, info: ValidationInfo) -> Any:
        """Read the texts that `cdk -c` gives, and refuse the conversions that pydantic offers beyond them."""
        kind = cls.model_fields[info.field_name or ""].annotation
        if kind is bool:
            if isinstance(value, str) and value.lower() in ("true", "false"):
                return value.lower() == "true"
            if not isinstance(value, bool):
                raise PydanticCustomError("kind", "not a boolean")
        elif kind in (int, float, AutoOrNumber) and isinstance(value, bool):
            raise PydanticCustomError("kind", "not a number")
        elif get_origin(kind) is Literal and isinstance(get_args(kind)[0], int):
            number = float(value) if isinstance(value, str) and value.isdecimal() else value
            return int(number) if isinstance(number, float) and number.is_integer() else number
        elif kind == tuple[str, ...] and isinstance(value, str):
            return tuple(item.strip() for item in value.split(",") if item.strip())
        elif kind == Mapping[str, str] and isinstance(value, Mapping):
            return {str(key): _as_text(item) for key, item in value.items()}
        return value


SectionType = TypeVar("SectionType", bound=Section)


def between(low: float, high: float, unit: str) -> Any:
    """Annotate a number: its range, bounds included, and its unit in words."""
    return Field(ge=low, le=high, json_schema_extra={"allowed": f"{unit} from {low} to {high}"})


def matching(pattern: str, allowed: str, *, longest: int | None = None) -> Any:
    """Annotate a text: the pattern of the whole text, in words too, and its greatest length."""
    return Field(pattern=f"^(?:{pattern})$", max_length=longest, json_schema_extra={"allowed": allowed})


def _check_share(value: AutoOrNumber) -> AutoOrNumber:
    if value != "auto" and not 0 <= value <= 1:
        raise PydanticCustomError("range", "not a share")
    return value


Share = Annotated[
    AutoOrNumber, AfterValidator(_check_share), Field(json_schema_extra={"allowed": "a share from 0 to 1"})
]
"""A share that `auto` leaves open."""


def _check_processor(value: str) -> str:
    if re.match(r"ml\.(a1|[a-z]+\d+g[a-z]*|[a-z0-9]+-gb\d+)\.", value):
        raise PydanticCustomError(_UNFIT, "it has an Arm processor (Graviton), and the images are built for x86-64")
    return value


INSTANCE_TYPE = Annotated[
    str,
    matching(r"ml\.[a-z0-9-]+\.[a-z0-9]+", "a SageMaker instance type such as ml.g4dn.xlarge"),
    AfterValidator(_check_processor),
]


def check(ok: object, name: str, problem: str) -> None:
    """Refuse the value `name` unless `ok`; for rules over more than one field. Raises ConfigError: `ok` is false."""
    if not ok:
        raise ConfigError(name, problem)


def read_section(kind: type[SectionType], block: object, *, override: Callable[[str], object]) -> SectionType:
    """Build a configuration block from a mapping, inner blocks included.

    `override`: looks up a value by its dotted name (`serving.memory_mb`); what it finds wins over the block. Raises
    ConfigError: an unknown name, a missing value, or one that is not allowed.
    """
    try:
        return kind.model_validate(_with_overrides(kind, block, override))
    except ValidationError as error:
        # An unknown name first: a value that is missing may be the one that was misspelt.
        found = min(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
        raise _told(kind, found) from None


def dotted_names(kind: type[Section], path: str = "") -> Iterator[str]:
    """Yield the dotted name of every value in a block and its inner blocks."""
    for name, field in kind.model_fields.items():
        inner = inner_section(field)
        yield from dotted_names(inner, f"{path}{name}.") if inner else (path + name,)


def inner_section(field: FieldInfo) -> type[Section] | None:
    """Return the type of a field that is a block; None for a plain value."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def closest(name: str, known: Iterable[str]) -> str:
    """Return the known name that was probably meant; empty where none is close."""
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.75)), "")


def _with_overrides(kind: type[Section], block: object, override: Callable[[str], object], path: str = "") -> Any:
    if not isinstance(block, Mapping):
        raise ConfigError(path.rstrip(".") or "environment", f"{block!r} is not allowed; a block of named values")
    values = dict(block)
    for name, field in kind.model_fields.items():
        inner = inner_section(field)
        if inner:
            values[name] = _with_overrides(inner, block.get(name, {}), override, f"{path}{name}.")
        elif (given := override(path + name)) is not None:
            values[name] = given
    return {name: value for name, value in values.items() if value is not None}


def _told(kind: type[Section], error: ErrorDetails) -> ConfigError:
    """Say a pydantic error in the words of this project."""
    *path, last = [str(part) for part in error["loc"]]
    name, value = ".".join((*path, last)), error["input"]
    if error["type"] == "missing":
        return ConfigError(name, "is missing; add it to this environment's block in cdk.json")
    if error["type"] == "extra_forbidden":
        section: type[Section] = kind
        for part in path:
            section = inner_section(section.model_fields[part]) or section
        meant = closest(last, section.model_fields)
        hint = f"did you mean {'.'.join((*path, meant))}? " if meant else ""
        names = ", ".join(sorted(section.model_fields))
        return ConfigError(name, f"is not known; {hint}The names here are: {names}")
    field, field_path = _field_at(kind, [*path, last])
    constrained = error["type"] in _CONSTRAINTS
    shown = value if constrained and field.annotation in (int, float) else repr(value)
    told = ".".join(field_path) if field.annotation != Mapping[str, str] else name
    remedy = allowed(field, constrained=constrained)
    return ConfigError(told, f"{shown} is not allowed; {error['msg'] if error['type'] == _UNFIT else remedy}")


def _field_at(kind: type[Section], location: list[str]) -> tuple[FieldInfo, list[str]]:
    """Find the field that an error is about, and its path: the location may go on to an item of the value."""
    first, *rest = location
    field = kind.model_fields[first]
    inner = inner_section(field)
    if inner is None or not rest:
        return field, [first]
    field, path = _field_at(inner, rest)
    return field, [first, *path]


def allowed(field: FieldInfo, *, constrained: bool = False) -> str:
    """Return what a value may be, in words; with `constrained` its range or form alone."""
    if get_origin(field.annotation) is Literal:
        return f"one of {', '.join(map(str, get_args(field.annotation)))}"
    extra, kind = field.json_schema_extra, _KINDS[field.annotation]
    if not isinstance(extra, dict):
        return kind
    return str(extra["allowed"]) if constrained else f"{kind}: {extra['allowed']}"


def _as_text(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else value
