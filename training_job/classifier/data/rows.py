"""Use each row of a table, or set it aside with a reason."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, get_args

from classifier.data.columns import Columns
from classifier.data.values import flag_of, is_blank, label_of, list_of, number_of, plain
from classifier.errors import DataError
from tables import TableRow

Kind = Literal["malformed", "empty", "duplicate"]
_NO_LABEL = ("nan", "NaN", "<NA>", "#N/A")  # as programs write a missing value into a cell
_RAW_LIMIT = 2000  # characters of a bad row that are kept: enough to find it, and the output stays small


@dataclass(frozen=True)
class Example:
    """A labelled text: one label for classification, any number for multilabel, none with a score. Lines start at 1."""

    text: str
    labels: tuple[str, ...] = ()
    score: float | None = None
    group: str = ""
    family: str = ""
    line: int = 0


@dataclass(frozen=True)
class Aside:
    """A row that was set aside: its line number from 1, the reason, and its raw text."""

    line: int
    kind: Kind
    reason: str
    raw: str


@dataclass
class Rows:
    """The rows of one split."""

    file: str
    used: list[Example] = field(default_factory=list)
    aside: list[Aside] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return how many rows were set aside, by kind."""
        kinds = Counter(row.kind for row in self.aside)
        return {kind: kinds[kind] for kind in get_args(Kind)}

    def set_aside(self, example: Example, kind: Kind, reason: str) -> None:
        """Set a row aside that was usable by itself."""
        self.aside.append(Aside(example.line, kind, reason, json.dumps({"text": example.text[:_RAW_LIMIT]})))


class UnusableRowError(Exception):
    """A row cannot be used."""

    def __init__(self, kind: Kind, reason: str) -> None:
        super().__init__(reason)
        self.kind: Kind = kind
        self.reason = reason


def use_rows(file: str, rows: Sequence[TableRow], columns: Columns) -> Rows:
    """Use the rows of `file` that can be used; labels are as they are written there."""
    found = Rows(file)
    for row in rows:
        try:
            found.used.append(_example(row, columns))
        except UnusableRowError as problem:
            found.aside.append(Aside(row.line, problem.kind, problem.reason, row.raw[:_RAW_LIMIT]))
    return found


def set_duplicates_aside(rows: Rows, what: str) -> None:
    """Keep the first of the rows with the same text and the same labels or score."""
    seen: set[tuple[object, ...]] = set()
    kept = []
    for row in rows.used:
        key = (row.text, row.labels, row.score)
        if key in seen:
            rows.set_aside(row, "duplicate", f"same text and {what} as an earlier row")
        else:
            seen.add(key)
            kept.append(row)
    rows.used = kept


def write_quarantine(rows: Rows, path: Path) -> None:
    """Write the rows set aside as JSON Lines with `line`, `kind`, `reason` and `raw`; no file if there are none."""
    path.unlink(missing_ok=True)  # remove that of an earlier run
    if rows.aside:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = sorted(rows.aside, key=lambda row: row.line)
        content = "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in lines)
        path.write_text(content, encoding="utf-8", errors="backslashreplace", newline="\n")


def refuse_lost(rows: Rows, limit: float, quarantine: Path | None) -> None:
    """Refuse a file of which more than the share `limit` cannot be used: DataError, with the most frequent reason."""
    lost = [row for row in rows.aside if row.kind == "malformed"]
    filled = len(rows.used) + len(lost)
    if not rows.used and not lost:
        raise DataError(
            f"{rows.file} has no row with a text in it; at least two, of different classes, are needed.",
            hint="Give a file with one labelled text a row.",
        )
    if len(lost) <= limit * filled:
        return
    reason, times = Counter(row.reason for row in lost).most_common(1)[0]
    first = min(row.line for row in lost if row.reason == reason)
    where = f" All of them are listed in {quarantine.name}." if quarantine else ""
    raise DataError(
        f"{len(lost)} of {filled} rows of {rows.file} cannot be used; at most {limit:.0%} may be. The most frequent "
        f"reason ({times} rows, the first at line {first}): {reason}.{where}".replace("%", " %"),
        hint=f"{_help(reason)} To go on without these rows, raise max_lost_share.",
    )


_HELP = {
    "fields": "Check delimiter and quote, and that this is the right file.",
    "encoding": "Say the file's encoding, or save it as UTF-8.",
    "UTF-8": "Say the file's encoding, or save it as UTF-8.",
    "JSON": "Check format, and that this is the right file.",
    "number": "Check score_column.",
    "label": "Check label_column and label_names; write [] for a text without a label.",
    "string": "Check text_column.",
}


def _help(reason: str) -> str:
    return next((hint for word, hint in _HELP.items() if word in reason), "Check that this is the right file.")


def _example(row: TableRow, columns: Columns) -> Example:
    if row.values is None:
        raise UnusableRowError("malformed", row.problem) if row.problem else UnusableRowError("empty", "blank line")
    values = row.values
    text = _text(values, columns.text)
    score = _score(values, columns) if columns.score else None
    labels = () if columns.score else _labels(values, columns)
    return Example(text, labels, score, _optional(values, columns.group), _optional(values, columns.family), row.line)


def _text(values: Mapping[str, object], column: str) -> str:
    value = _required(values, column)
    if is_blank(value):
        raise UnusableRowError("empty", f"{column} is blank")
    if not isinstance(value, str):
        raise UnusableRowError("malformed", f"{column} is not a string")
    if not _is_valid(value):
        raise UnusableRowError("malformed", f"{column} holds half a surrogate pair")
    return value.strip()


def _is_valid(text: str) -> bool:
    """Return whether a text can be written: JSON can spell half a surrogate pair, which no tokenizer accepts."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _score(values: Mapping[str, object], columns: Columns) -> float:
    value = plain(_required(values, columns.score))
    try:
        return number_of(value, comma=columns.comma_decimal)
    except ValueError as error:
        raise UnusableRowError("malformed", f"{columns.score} is not a finite number") from error


def _labels(values: Mapping[str, object], columns: Columns) -> tuple[str, ...]:
    if columns.cell == "flags":
        given = tuple(column for column in columns.labels if _flag(values, column))
    else:
        given = _cell_labels(values, columns)
    if not columns.several and len(given) != 1:
        raise UnusableRowError("malformed", f"{len(given)} labels, one is needed")
    return given


def _flag(values: Mapping[str, object], column: str) -> bool:
    try:
        return flag_of(plain(_required(values, column)))
    except (ValueError, OverflowError) as error:
        raise UnusableRowError("malformed", f"label column {column} is neither 0 nor 1") from error


def _cell_labels(values: Mapping[str, object], columns: Columns) -> tuple[str, ...]:
    column = columns.labels[0]
    value = plain(_required(values, column))
    if is_blank(value) or value in _NO_LABEL:
        raise UnusableRowError("malformed", f"{column}: the label is blank")
    listed = list_of(value) if columns.several or columns.cell == "list" else None
    if listed is not None:
        parts = listed
    elif columns.cell == "separated" and isinstance(value, str):
        parts = [part for part in value.split(columns.separator) if part.strip()]
    else:
        parts = [value]
    try:
        labels = [label_of(part) for part in parts]
    except (ValueError, OverflowError) as error:
        raise UnusableRowError("malformed", f"{column}: the label is not a string, a number or a boolean") from error
    if not all(map(_is_valid, labels)):
        raise UnusableRowError("malformed", f"{column}: the label holds half a surrogate pair")
    if not all(labels):
        raise UnusableRowError("malformed", f"{column}: the label is blank")
    return tuple(dict.fromkeys(labels))


def _required(values: Mapping[str, object], column: str) -> object:
    if column not in values:
        raise UnusableRowError("malformed", f"no column {column}")
    return values[column]


def _optional(values: Mapping[str, object], column: str) -> str:
    value = values.get(column) if column else None
    return "" if is_blank(value) else str(value).strip()
