"""From a raw data file to a table that can be trained on.

One row of the result is one text with its label (0 or 1) and, where the data carries one, its score. What cannot be
used is counted by kind and kept aside with its line number, never dropped silently.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from classifier.data.columns import Columns
from classifier.data.row_checks import Kept, Rejected, Unusable, usable
from classifier.data.rows import SUFFIXES, read_rows
from classifier.data.splitting import Split, split_validation
from classifier.errors import EmptyData, MissingColumn, MostlyMalformed, UnreadableData, WrongClasses

__all__ = ["Columns", "Counts", "PreparedData", "Split", "find_data_file", "prepare", "split_validation"]

MALFORMED_LIMIT = 0.5
"""Share of the rows with anything on them that may be malformed; a file above it is probably another kind of file."""

DEFAULT_LABEL_NAMES = ("not_helpful", "helpful")
_RAW_LIMIT = 2000  # characters of a bad row that are kept: enough to find it, and a broken file stays small
_SHOWN_COLUMNS = 20
_COLUMNS = ("text", "label", "score", "product_title", "product", "family")


@dataclass(frozen=True)
class Counts:
    """Rows by what became of them; ``read`` is the sum of the others."""

    read: int
    kept: int
    malformed: int
    empty: int
    duplicate: int

    def as_dict(self) -> dict[str, int]:
        """The counts by name, for a report."""
        return asdict(self)


@dataclass(frozen=True)
class PreparedData:
    """The usable rows of one file.

    ``frame`` has the columns ``text`` (str), ``label`` (int, 0 or 1), ``score`` (float, NaN in data without one),
    ``product_title``, ``product`` and ``family`` (str, "" where unknown). ``quarantine_path`` is None if no row was set
    aside or nobody asked for the file. ``sha256`` is the hash of the file's bytes, ``label_names`` are those of class 0
    and 1.
    """

    frame: pd.DataFrame
    counts: Counts
    quarantine_path: Path | None
    sha256: str
    label_names: tuple[str, str]

    @property
    def has_score(self) -> bool:
        """True if every row carries a score."""
        return bool(self.frame["score"].notna().all())


def find_data_file(path: Path | str, split: str) -> Path:
    """The data file of one split: ``path`` itself, or in a folder ``<split>.<ending>``, or its only data file.

    Raises:
        UnreadableData: there is none, or several and none is named after the split.
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
    raise UnreadableData(
        f"{path} must hold exactly one {split} file ({', '.join(split + s for s in SUFFIXES)}); data files found: "
        f"{found}.",
        path=path,
        hint=f"Name the file you mean {split}.json or {split}.csv, or give its path.",
    )


def prepare(path: Path | str, columns: Columns | None = None, *, quarantine_path: Path | None = None) -> PreparedData:
    """Reads a JSON Lines or CSV file into a table of text, label and score.

    Malformed, empty and duplicate rows (same text and same score or label; the first one stays) are left out, counted,
    and written to ``quarantine_path`` as JSON Lines with ``line``, ``kind``, ``reason`` and ``raw``.

    Args:
        path: the data file; its name says whether it is JSON Lines or CSV.
        columns: where text and label stand; the names of the Helpful Sentences data if not given.
        quarantine_path: file for the rows left out; written only if there are any, and also if the file is refused.

    Raises:
        PrepareError: the file is refused; the subclass says why.
    """
    path = Path(path)
    columns = columns or Columns()
    kept: list[Kept] = []
    rejected: list[Rejected] = []
    found: dict[str, None] = {}  # the columns that occur, in order
    seen: set[tuple[str, float | str]] = set()
    unparsed = 0
    for row in read_rows(path, (columns.text_column, columns.target_column)):
        if row.values is not None:
            found.update(dict.fromkeys(row.values))
        elif row.problem:
            unparsed += 1
        try:
            kept.append(usable(row, columns, seen))
        except Unusable as problem:
            rejected.append(Rejected(row.line, problem.kind, problem.reason, row.raw[:_RAW_LIMIT]))
    by_kind = Counter(row.kind for row in rejected)
    counts = Counts(len(kept) + len(rejected), len(kept), by_kind["malformed"], by_kind["empty"], by_kind["duplicate"])
    written = _write_quarantine(rejected, quarantine_path)
    _refuse_unusable(path, columns, counts, unparsed, list(found), rejected, written)
    names = _label_names(path, columns, kept)
    return PreparedData(_table(kept, columns, names), counts, written, file_sha256(path), names)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_quarantine(rejected: list[Rejected], path: Path | None) -> Path | None:
    if path is None:
        return None
    path.unlink(missing_ok=True)  # one from an earlier run would be taken for this one's
    if not rejected:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rejected)
    return path


def _refuse_unusable(
    path: Path,
    columns: Columns,
    counts: Counts,
    unparsed: int,
    found: list[str],
    rejected: list[Rejected],
    quarantine: Path | None,
) -> None:
    """Raises if the file as a whole is not what the caller meant; the most telling reason first."""
    filled = counts.read - counts.empty
    where = f" All of them are in {quarantine}." if quarantine else ""
    if unparsed <= MALFORMED_LIMIT * filled:
        for column in (columns.text_column, columns.target_column):
            if found and column not in found:
                shown = ", ".join(found[:_SHOWN_COLUMNS])
                raise MissingColumn(
                    f"{path.name} has no column {column!r}; its columns are: {shown}.",
                    path=path,
                    column=column,
                    found=found,
                    hint="Name the columns you mean: text_column, and score_column or label_column.",
                )
    if counts.malformed > MALFORMED_LIMIT * filled:
        first = next(row for row in rejected if row.kind == "malformed")
        array = first.line == 1 and first.raw.lstrip().startswith("[")
        raise MostlyMalformed(
            f"{counts.malformed} of {filled} rows of {path.name} cannot be read; at most half may be malformed. The "
            f"first is line {first.line}: {first.reason}.{where}",
            path=path,
            counts=counts.as_dict(),
            hint="The file looks like one JSON array: write one object a line (jq -c '.[]')."
            if array
            else "Check that this is the right file: one JSON object a line (.json, .jsonl), or a table (.csv).",
        )
    if not counts.kept:
        raise EmptyData(
            f"{path.name} has no row with a text in it; at least two, of different classes, are needed.",
            path=path,
            hint="Give a file with one labelled text a row.",
        )


def _label_names(path: Path, columns: Columns, kept: list[Kept]) -> tuple[str, str]:
    """The names of class 0 and 1; refuses rows that do not fall into exactly these two."""
    if columns.label_column is None:
        names = columns.label_names or DEFAULT_LABEL_NAMES
        sides = {row.target >= columns.score_threshold for row in kept}  # type: ignore[operator]
        if len(sides) == 2:
            return names
        side = names[int(sides.pop())]
        raise WrongClasses(
            f"every row of {path.name} is of one class, {side!r}: all values of {columns.score_column!r} lie on one "
            f"side of {columns.score_threshold:g}. Both classes must occur.",
            path=path,
            found=[side],
            hint="Check score_column and score_threshold, or give a file in which both classes occur.",
        )
    labels = _in_order({str(row.target) for row in kept})
    if len(labels) == 2:
        return columns.label_names or (labels[0], labels[1])
    shown = labels[:_SHOWN_COLUMNS]
    raise WrongClasses(
        f"column {columns.label_column!r} of {path.name} has {len(labels)} distinct labels ({', '.join(shown)}); "
        "exactly two are allowed.",
        path=path,
        found=shown,
        hint="Give data with two classes, or map the labels to two beforehand.",
    )


def _in_order(labels: Iterable[str]) -> list[str]:
    labels = list(labels)
    try:
        return sorted(labels, key=float)
    except ValueError:
        return sorted(labels)


def _table(kept: list[Kept], columns: Columns, names: tuple[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "text": [row.text for row in kept],
            "product_title": [row.product_title for row in kept],
            "product": [row.product or row.product_title for row in kept],
            "family": [row.family for row in kept],
        }
    )
    if columns.label_column is None:
        scores = [float(row.target) for row in kept]
        labels = [int(score >= columns.score_threshold) for score in scores]
    else:
        scores = [math.nan] * len(kept)
        labels = [names.index(str(row.target)) for row in kept]
    return frame.assign(label=labels, score=scores)[list(_COLUMNS)]
