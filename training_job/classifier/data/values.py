"""The meaning of one cell: blank, a number, a label, or a list of labels."""

import ast
import json
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import Decimal

SEPARATORS = (",", ";", "|")
"""What people put between several labels in one cell."""

RECURRING_SHARE = 0.6
"""Share of the parts that must occur in more than one kind of cell, before a cell is taken apart.

`spam & scam; etc.` stays one label: its parts never occur without each other.
"""

_YES, _NO = {"1", "true", "yes", "x", "✓"}, {"0", "false", "no", ""}
_NUMBER = re.compile(
    r"([+-]?[\d.,'\u00a0\u202f]*\d(?:[eE][+-]?\d+)?)\s*"
    r"(?:[%\u2030★⭐]+|stars?|points?|(?:out\s+of|of|von|sur|de|/)\s*\d+(?:[.,]\d+)?\s*(?:[^\W\d]+)?)?",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+\D*")
_WHOLE = re.compile(r"(-?(?:0|[1-9]\d*))\.0+")
_PLAIN = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_GLUED = re.compile(r"""(["'])\s+(["'])""")


def plain(value: object) -> object:
    """Turn the arrays and numbers of other libraries into Python's own."""
    convert = getattr(value, "tolist", None)
    return convert() if callable(convert) else value


def is_blank(value: object) -> bool:
    """Return whether a cell holds nothing: null, NaN, or blanks."""
    if isinstance(value, str):
        return not _INVISIBLE.sub("", value).strip()
    return value is None or (isinstance(value, float) and math.isnan(value))


def is_comma_decimal(values: Iterable[object]) -> bool:
    """Return whether numbers are written with a decimal comma: some have a comma, and none has a point after it."""
    written = [value for value in values if isinstance(value, str) and "," in value]
    return bool(written) and all(value.rfind(",") > value.rfind(".") for value in written)


def differs_in_decimals(values: Iterable[object], *, comma: bool) -> bool:
    """Return whether numbers are surely written the other way than `comma` says; `1,234` may be either."""
    numbers = [value for value in values if isinstance(value, str) and _NUMBER.fullmatch(value.strip())]
    told = any("," in value and not _THOUSANDS.fullmatch(value.strip()) for value in numbers)
    return told and is_comma_decimal(numbers) != comma


def number_of(value: object, *, comma: bool = True) -> float:
    """Read a number: `2.5`, `2,5`, `80 %`, `4.0 out of 5 stars`; raise ValueError.

    `comma`: whether a comma is a decimal comma, else it parts thousands.
    """
    if isinstance(value, str):
        found = _NUMBER.fullmatch(value.strip())
        if found is None:
            raise ValueError("not a number")
        text = re.sub("['\u00a0\u202f]", "", found.group(1))
        text = text.replace(".", "").replace(",", ".") if comma and "," in text else text.replace(",", "")
        value = text
    elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("not a number")
    try:
        number = float(value)
    except OverflowError as error:
        raise ValueError("too large a number") from error
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def label_of(value: object) -> str:
    """Read a label as a person would write it: `1` for 1.0, `true` for True. Raise ValueError for another type."""
    value = plain(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | Decimal):
        return str(int(value)) if value == int(value) else str(value)
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("not a label")
    text = " ".join(unicodedata.normalize("NFC", value).split())
    if text.lower() in ("true", "false"):
        return text.lower()
    whole = _WHOLE.fullmatch(text)
    return whole.group(1) if whole else text


def flag_of(value: object) -> bool:
    """Read whether a label's own column says that a text has it: 1, true, yes or x; blank is no. Raise ValueError."""
    text = "" if is_blank(value) else label_of(value).lower()
    if text not in _YES | _NO:
        raise ValueError("neither 0 nor 1")
    return text in _YES


def label_key(label: str, *, ignore_case: bool) -> str:
    """Return what two spellings of one label have in common: all but characters that nobody can see."""
    key = " ".join(_INVISIBLE.sub("", label).split())
    return key.casefold() if ignore_case else key


def in_order(labels: Iterable[str]) -> list[str]:
    """Sort labels: numbers by their exact value, words by alphabet."""
    labels = set(labels)
    if all(_PLAIN.fullmatch(label) for label in labels):
        return sorted(labels, key=lambda label: (Decimal(label), label))
    return sorted(labels)


def list_of(value: object) -> list[object] | None:
    """Read a list: one of JSON's, or its text in a cell (`["a", "b"]`, `['a', 'b']`, `[3 27]`); None if it is none."""
    value = plain(value)
    if isinstance(value, list | tuple | set):
        return list(value)
    if not isinstance(value, str) or not (value.strip().startswith("[") and value.strip().endswith("]")):
        return None
    text = _GLUED.sub(r"\1, \2", value.strip())  # as numpy writes them: ['a' 'b']
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return list(found) if isinstance(found, list) else None
    return [part for part in re.split(r"[,;\s]+", text[1:-1]) if part]


def separator_of(values: Sequence[object]) -> str | None:
    """Find what separates several labels in a cell; None if the cells hold one label each.

    It does where most of the parts occur alone as well, or together with others.
    """
    cells = {value.strip() for value in values if isinstance(value, str)}
    best: tuple[int, str] | None = None
    for separator in SEPARATORS:
        several = [cell for cell in cells if separator in cell]
        if not several or (separator == "," and _are_decimals(values)):
            continue
        where: dict[str, int] = {}
        for cell in cells:
            for part in {part.strip() for part in cell.split(separator)} - {""}:
                where[part] = where.get(part, 0) + 1
        parts = {part.strip() for cell in several for part in cell.split(separator)} - {""}
        if sum(where[part] > 1 for part in parts) >= RECURRING_SHARE * len(parts):
            best = max(best or (0, ""), (len(several), separator))
    return best[1] if best else None


def _are_decimals(values: Sequence[object]) -> bool:
    """Return whether these are numbers with a decimal comma: nearly all have one, and just one.

    They are pairs of labels where the smaller number comes first in each, and numbers stand on both sides.
    """
    written = [value for value in values if isinstance(value, str)]
    pairs = [found.groups() for value in written if (found := re.fullmatch(r"\s*(-?\d+),(\d+)\s*", value))]
    first, second = ({pair[side] for pair in pairs} for side in (0, 1))
    ordered = all(int(one) < int(two) for one, two in pairs) and first & second and min(len(first), len(second)) > 1
    return 2 * len(pairs) > len(written) and not ordered
