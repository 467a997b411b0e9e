"""Check one row: use it, or set it aside with a reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from classifier.data.columns import Columns
from classifier.data.read import Row

Kind = Literal["malformed", "empty", "duplicate"]


@dataclass(frozen=True)
class Rejected:
    """A row that was set aside: its line number from 1, the reason, and its raw text."""

    line: int
    kind: Kind
    reason: str
    raw: str


@dataclass(frozen=True)
class Kept:
    """A usable row. `target` is its score (float) or its label (str); the rest is "" where unknown.

    `product` is the title where the data has no other mark of the product.
    """

    text: str
    target: float | str
    product_title: str
    product: str
    family: str


class UnusableRowError(Exception):
    """A row cannot be used; the caller of `usable` counts it."""

    def __init__(self, kind: Kind, reason: str) -> None:
        super().__init__(reason)
        self.kind: Kind = kind
        self.reason = reason


def usable(row: Row, columns: Columns, seen: set[tuple[str, float | str]]) -> Kept:
    """Check a row and return its values.

    Args:
        seen: text and target of the rows kept so far; this row's are added.

    Raises:
        UnusableRowError: the row is malformed, empty, or a duplicate of a row in `seen`.
    """
    values = row.values
    if values is None:
        raise UnusableRowError("malformed", row.problem) if row.problem else UnusableRowError("empty", "blank line")
    text = _text(values, columns.text_column)
    if columns.label_column:
        target: float | str = _label(values, columns.label_column, columns.label_names)
    else:
        target = _score(values, columns.score_column)
    if (text, target) in seen:
        raise UnusableRowError("duplicate", f"same text and {columns.target_column} as an earlier row")
    seen.add((text, target))
    title = _optional(values, columns.title_column)
    product = _optional(values, columns.product_column) or title
    return Kept(text, target, title, product, _optional(values, columns.family_column))


def _text(values: Mapping[str, object], column: str) -> str:
    value = _required(values, column)
    if value is None:
        raise UnusableRowError("empty", f"{column} is null")
    if not isinstance(value, str):
        raise UnusableRowError("malformed", f"{column} is not a string")
    text = value.strip()
    if not text:
        raise UnusableRowError("empty", f"{column} is blank")
    try:
        text.encode()
    except UnicodeEncodeError as error:  # JSON can spell half a surrogate pair, which no tokenizer accepts
        raise UnusableRowError("malformed", f"{column} holds half a surrogate pair") from error
    return text


def _score(values: Mapping[str, object], column: str) -> float:
    value = _required(values, column)
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        score = float(value)
    except (ValueError, OverflowError) as error:
        raise UnusableRowError("malformed", f"{column} is not a number") from error
    if not math.isfinite(score):
        raise UnusableRowError("malformed", f"{column} is not a finite number")
    return score


def _label(values: Mapping[str, object], column: str, allowed: tuple[str, str] | None) -> str:
    value = _required(values, column)
    if isinstance(value, bool):
        label = str(value).lower()
    elif isinstance(value, float) and value.is_integer():
        label = str(int(value))
    elif isinstance(value, int | str):
        label = str(value).strip()
    else:
        raise UnusableRowError("malformed", f"{column} is not a string, an integer or a boolean")
    if not label:
        raise UnusableRowError("malformed", f"{column} is blank")
    if allowed and label not in allowed:
        raise UnusableRowError("malformed", f"{column} is neither {allowed[0]!r} nor {allowed[1]!r}")
    return label


def _required(values: Mapping[str, object], column: str) -> object:
    if column not in values:
        raise UnusableRowError("malformed", f"no column {column}")
    return values[column]


def _optional(values: Mapping[str, object], column: str | None) -> str:
    value = values.get(column) if column else None
    return "" if value is None else str(value).strip()
