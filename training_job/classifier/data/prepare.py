"""From a raw data file to a table for training.

Each row of the table is one text with its label (0 or 1) and, where the data has one, its score. Rows that cannot be
used are counted by kind and set aside with their line number.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import get_args

import pandas as pd

from classifier.data.check import Kept, Kind, Rejected, UnusableRowError, usable
from classifier.data.columns import Columns
from classifier.data.read import SUFFIXES, read_rows
from classifier.errors import DataError

MALFORMED_LIMIT = 0.5
"""Share of the non-blank rows that may be malformed; above it the file is probably of another kind."""

DEFAULT_LABEL_NAMES = ("not_helpful", "helpful")
_RAW_LIMIT = 2000  # characters of a bad row that are kept: enough to find it, and the output stays small
_SHOWN_COLUMNS = 20


@dataclass(frozen=True)
class PreparedData:
    """The usable rows of one file.

    Attributes:
        frame: columns `text` (str), `label` (int, 0 or 1), `score` (float, NaN in data without one), `product_title`,
            `product` and `family` (str, "" where unknown).
        counts: rows `read`, and of these `kept`, `malformed`, `empty` and `duplicate`.
        sha256: of the file's bytes.
        label_names: of class 0 and 1.
    """

    frame: pd.DataFrame
    counts: dict[str, int]
    sha256: str
    label_names: tuple[str, str]


@dataclass
class _Sorted:
    """The rows of a file, kept or rejected, and what else is needed to judge the file."""

    kept: list[Kept] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    columns: dict[str, None] = field(default_factory=dict)  # those that occur, in order
    unparsed: int = 0

    def counts(self) -> dict[str, int]:
        kinds = Counter(row.kind for row in self.rejected)
        kept, rejected = len(self.kept), len(self.rejected)
        return {"read": kept + rejected, "kept": kept, **{kind: kinds[kind] for kind in get_args(Kind)}}


def find_data_file(path: Path | str, split: str) -> Path:
    """Find the data file of one split: `path` itself, or in a folder `<split>.<suffix>`, or its only data file.

    Raises:
        DataError: there is none, or there are several and none is named after the split.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    files = sorted(entry for entry in path.iterdir() if entry.suffix.lower() in SUFFIXES and entry.is_file())
    named = [file for file in files if file.stem == split]
    candidates = named or files
    if len(candidates) == 1:
        return candidates[0]
    found = ", ".join(file.name for file in files[:_SHOWN_COLUMNS]) or "none"
    raise DataError(
        f"{path} must hold exactly one {split} file ({', '.join(split + s for s in SUFFIXES)}); data files found: "
        f"{found}.",
        hint=f"Name the file you mean {split}.json or {split}.csv, or give its path.",
    )


def prepare(path: Path | str, columns: Columns | None = None, *, quarantine_path: Path | None = None) -> PreparedData:
    """Read a JSON Lines or CSV file into a table of text, label and score.

    Malformed, empty and duplicate rows (same text and same score or label; the first one stays) are left out, counted,
    and written to `quarantine_path` as JSON Lines with `line`, `kind`, `reason` and `raw`.

    Args:
        path: its suffix says whether it is JSON Lines or CSV.
        columns: default: the names of the Helpful Sentences data.
        quarantine_path: written only if rows were left out; also when the file is refused.

    Raises:
        DataError: the file is refused.
    """
    path = Path(path)
    columns = columns or Columns()
    rows = _Sorted()
    seen: set[tuple[str, float | str]] = set()
    for row in read_rows(path, (columns.text_column, columns.target_column)):
        if row.values is not None:
            rows.columns.update(dict.fromkeys(row.values))
        elif row.problem:
            rows.unparsed += 1
        try:
            rows.kept.append(usable(row, columns, seen))
        except UnusableRowError as problem:
            rows.rejected.append(Rejected(row.line, problem.kind, problem.reason, row.raw[:_RAW_LIMIT]))
    written = _write_quarantine(rows.rejected, quarantine_path)
    _refuse_unusable(path, columns, rows, written)
    names = _label_names(path, columns, rows.kept)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return PreparedData(_table(rows.kept, columns, names), rows.counts(), sha256, names)


def _write_quarantine(rejected: list[Rejected], path: Path | None) -> Path | None:
    if path is None:
        return None
    path.unlink(missing_ok=True)  # remove that of an earlier run
    if not rejected:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rejected)
    return path


def _refuse_unusable(path: Path, columns: Columns, rows: _Sorted, quarantine: Path | None) -> None:
    """Refuse a file that as a whole is not what the caller meant; the most telling reason first."""
    counts = rows.counts()
    filled, malformed = counts["read"] - counts["empty"], counts["malformed"]
    missing = [name for name in (columns.text_column, columns.target_column) if name not in rows.columns]
    if missing and rows.columns and rows.unparsed <= MALFORMED_LIMIT * filled:
        shown = ", ".join(list(rows.columns)[:_SHOWN_COLUMNS])
        raise DataError(
            f"{path.name} has no column {missing[0]!r}; its columns are: {shown}.",
            hint="Name the columns you mean: text_column, and score_column or label_column.",
        )
    if malformed > MALFORMED_LIMIT * filled:
        first = next(row for row in rows.rejected if row.kind == "malformed")
        where = f" All of them are in {quarantine}." if quarantine else ""
        array = first.line == 1 and first.raw.lstrip().startswith("[")
        raise DataError(
            f"{malformed} of {filled} rows of {path.name} cannot be read; at most half may be malformed. The "
            f"first is line {first.line}: {first.reason}.{where}",
            hint="The file looks like one JSON array: write one object a line (jq -c '.[]')."
            if array
            else "Check that this is the right file: one JSON object a line (.json, .jsonl), or a table (.csv).",
        )
    if not counts["kept"]:
        raise DataError(
            f"{path.name} has no row with a text in it; at least two, of different classes, are needed.",
            hint="Give a file with one labelled text a row.",
        )


def _label_names(path: Path, columns: Columns, kept: list[Kept]) -> tuple[str, str]:
    """Name class 0 and 1; refuse rows that are not of exactly these two."""
    if columns.label_column is None:
        names = columns.label_names or DEFAULT_LABEL_NAMES
        sides = {float(row.target) >= columns.score_threshold for row in kept}
        if len(sides) == 2:
            return names
        raise DataError(
            f"Every row of {path.name} is of one class, {names[int(sides.pop())]!r}: all values of "
            f"{columns.score_column!r} lie on one side of {columns.score_threshold:g}. Both classes must occur.",
            hint="Check score_column and score_threshold, or give a file in which both classes occur.",
        )
    labels = _in_order({str(row.target) for row in kept})
    if len(labels) == 2:
        return columns.label_names or (labels[0], labels[1])
    raise DataError(
        f"Column {columns.label_column!r} of {path.name} has {len(labels)} distinct labels "
        f"({', '.join(labels[:_SHOWN_COLUMNS])}); exactly two are allowed.",
        hint="Give data with two classes, or map the labels to two beforehand.",
    )


def _in_order(labels: set[str]) -> list[str]:
    try:
        return sorted(labels, key=float)
    except ValueError:
        return sorted(labels)


def _table(kept: list[Kept], columns: Columns, names: tuple[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(map(vars, kept))
    target = frame.pop("target")
    if columns.label_column is None:
        score = target.astype(float)
        return frame.assign(label=(score >= columns.score_threshold).astype(int), score=score)
    return frame.assign(label=target.map(names.index), score=math.nan)
