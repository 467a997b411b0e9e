"""Read JSON Lines, and JSON documents that hold rows in one of the usual shapes."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from .dialect import FIRST_LINES
from .encoding import Text, is_undecoded
from .names import clean_name, column_names
from .table import Again, ReadSettings, TableError, TableRow, TableStream

_SHAPES = "Write one object a line, as pandas does with orient='records', lines=True."


def is_json(text: Text) -> bool:
    """Tell whether a file is JSON by its first characters."""
    first = next((line for line in islice(text.lines(), FIRST_LINES) if line.strip()), "").lstrip()
    if first.startswith("{"):
        return True
    rest = first[1:].lstrip()
    return first.startswith("[") and (not rest or rest[0] in '{["]')


def open_json(text: Text, settings: ReadSettings) -> TableStream:
    """Read one object a line, or a document as a whole.

    Raises TableError: the document is no JSON, or holds no rows in a shape that is known.
    """
    lines = settings.format == "jsonl" or (settings.format == "auto" and _is_lines(text))
    how = text.how("jsonl" if lines else "json")
    if not lines:
        rows = list(_document(text))
        return TableStream(json_columns(rows), rows, how)
    return TableStream(json_columns(islice(read_lines(text), FIRST_LINES)), Again(lambda: read_lines(text)), how)


def json_columns(rows: Iterable[TableRow]) -> tuple[str, ...]:
    """Return all names in the rows, in the order of their first occurrence."""
    return tuple(dict.fromkeys(name for row in rows if row.values is not None for name in row.values))


def flat(values: Mapping[str, Any]) -> dict[str, object]:
    """Flatten a row: `{"input": {"text": …}}` becomes `input.text`. Raise ValueError where two keys get one name."""
    row: dict[str, object] = {}
    for key, value in values.items():
        name = clean_name(key)
        for inner, found in flat(value).items() if isinstance(value, dict) else [("", value)]:
            full = f"{name}.{inner}" if inner else name
            if full in row:
                raise ValueError(f"the key {full!r} twice")
            row[full] = found
    return row


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key twice")
    return values


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=lambda name: None)


def _is_lines(text: Text) -> bool:
    """Tell whether most of the first lines are objects of their own."""
    lines = [line.strip() for line in islice(text.lines(), FIRST_LINES) if line.strip()]
    whole = sum(line.startswith("{") and line.rstrip(",").endswith("}") for line in lines)
    if whole == 1 == len(lines):
        values, _ = _object(lines[0])
        return values is not None and not any(isinstance(value, dict | list) for value in values.values())
    return whole > len(lines) / 2 or (len(lines) > 1 and _object(lines[0].removesuffix(","))[0] is not None)


def read_lines(text: Text) -> Iterator[TableRow]:
    """Yield the rows of JSON Lines; brackets and commas around them are allowed."""
    for number, line in enumerate(text.lines(), start=1):
        raw = line.rstrip("\r\n")
        content = raw.strip()
        if content in ("", "[", "]", "],"):
            yield TableRow(number, None, "", raw)
        elif is_undecoded(raw):
            yield TableRow(number, None, text.undecoded, raw)
        else:
            yield TableRow(number, *_row(content.removesuffix(",")), raw)


def _row(content: str) -> tuple[dict[str, object] | None, str]:
    values, problem = _object(content)
    return (None, problem) if values is None else _flattened(values)


def _flattened(values: Mapping[str, Any]) -> tuple[dict[str, object] | None, str]:
    try:
        return flat(values), ""
    except (ValueError, RecursionError) as error:
        return None, str(error)


def _object(content: str) -> tuple[dict[str, Any] | None, str]:
    try:
        values = _DECODER.decode(content)
    except json.JSONDecodeError as error:
        return None, f"not JSON: {error.msg} at character {error.colno}"
    except (ValueError, RecursionError) as error:
        return None, f"not usable JSON: {error}"
    return (values, "") if isinstance(values, dict) else (None, f"a JSON {_kind(values)}, not an object")


def _kind(value: object) -> str:
    names = {list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def _document(text: Text) -> Iterator[TableRow]:
    content = text.read()
    if is_undecoded(content):
        raise TableError(f"{text.name} is {text.undecoded}.", hint="Save it as UTF-8, or give its encoding.")
    found = list(_values(content, text))
    if len(found) == 1 and isinstance(found[0][2], dict):
        rows = _records(found[0][2], text)
        if rows is not None:
            return _numbered(rows)
    return _elements(found, text)


def _values(content: str, text: Text) -> Iterator[tuple[int, str, Any]]:
    """Yield line, source and value of each element of an array, or of each value in a sequence of them."""
    at, line, counted = 0, 1, 0
    within = content.lstrip().startswith("[")
    if within:
        at = content.index("[") + 1
    while True:
        while at < len(content) and content[at] in " \t\r\n,\ufeff":
            at += 1
        if at == len(content) or (within and content[at] == "]"):
            return
        line += content.count("\n", counted, at)
        counted = at
        try:
            value, end = _DECODER.raw_decode(content, at)
        except json.JSONDecodeError as error:
            raise TableError(
                f"{text.name} is not JSON: {error.msg} in line {error.lineno}, character {error.colno}.", hint=_SHAPES
            ) from error
        except (ValueError, RecursionError) as error:
            problem = f"{text.name} cannot be read as JSON: {error}, after line {line}."
            raise TableError(problem, hint=_SHAPES) from error
        yield line, content[at:end], value
        at = end


def _elements(found: Sequence[tuple[int, str, Any]], text: Text) -> Iterator[TableRow]:
    if not found:
        raise TableError(f"{text.name} has no rows.", hint="Check that it is the right file.")
    if not any(isinstance(value, dict) for _, _, value in found):
        raise TableError(f"{text.name} is JSON without objects; rows have to be objects.", hint=_SHAPES)
    for line, raw, value in found:
        if not isinstance(value, dict):
            yield TableRow(line, None, f"a JSON {_kind(value)}, not an object", raw)
        else:
            yield TableRow(line, *_flattened(value), raw)


def _records(values: dict[str, Any], text: Text) -> list[dict[str, Any]] | None:
    """Return the rows of one object: by columns, by index, split, or under a key; None if it is a row itself."""
    inner = list(values.values())
    if isinstance(values.get("columns"), list) and isinstance(values.get("data"), list):
        names = column_names(values["columns"], text.name)
        if any(not isinstance(row, list) or len(row) != len(names) for row in values["data"]):
            raise TableError(f"{text.name} has rows of another length than its columns.", hint=_SHAPES)
        return [dict(zip(names, row, strict=True)) for row in values["data"]]
    tables = [value for value in inner if isinstance(value, list) and value and all(isinstance(v, dict) for v in value)]
    if len(tables) == 1:
        return list(tables[0])
    if len(tables) > 1:
        raise TableError(f"{text.name} holds {len(tables)} lists of rows, not one.", hint="Write a file for each.")
    if len(inner) == 1 and isinstance(inner[0], dict) and any(isinstance(value, list) for value in inner[0].values()):
        return _records(inner[0], text)
    if inner and all(isinstance(value, dict) for value in inner):
        if all(key.isdecimal() for key in values) and not all(key.isdecimal() for key in inner[0]):
            return inner
        keys = list(dict.fromkeys(key for column in inner for key in column))
        if len(inner) > 1 and all(len(column) > len(keys) / 2 for column in inner):
            return [{name: column.get(key) for name, column in values.items()} for key in keys]
        return None
    if len(inner) > 1 and all(isinstance(value, list) for value in inner) and len({len(value) for value in inner}) == 1:
        return [dict(zip(values, row, strict=True)) for row in zip(*inner, strict=True)]
    return None


def _numbered(rows: Sequence[Mapping[str, Any]]) -> Iterator[TableRow]:
    for number, values in enumerate(rows, start=1):
        yield TableRow(number, *_flattened(values), json.dumps(values, ensure_ascii=False))
