"""One label set for all splits, in one order that is fixed before anything is counted."""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from classifier.data.columns import MAX_LABELS, SHIPPED, SHIPPED_THRESHOLD, Columns
from classifier.data.findings import Finding
from classifier.data.rows import Example, Rows
from classifier.data.settings import DataSettings
from classifier.data.values import in_order, label_key, label_of
from classifier.errors import DataError, HyperparameterError

SHIPPED_NAMES = ("not_helpful", "helpful")
SCORE_NAMES = ("low", "high")
"""Names of the labels below the threshold and from it on, where nobody gives any."""

_SHOWN = 10
_TEXTS_SHARE = 0.5


@dataclass(frozen=True)
class LabelSet:
    """The names of a data set's labels in the order of their ids; `threshold` is the smallest score of label 1.

    `spelled` leads from each way in which a label is written to its name; rows with other labels are set aside.
    """

    names: tuple[str, ...]
    spelled: Mapping[str, str] = field(default_factory=dict)
    threshold: float | None = None
    findings: list[Finding] = field(default_factory=list)


def settle_labels(rows: dict[str, Rows], columns: Columns, settings: DataSettings, names_file: Path | None) -> LabelSet:
    """Fix the label set over all splits, by the settings and what occurs.

    Raises DataError: a label occurs outside the training data only, or there are too few or too many. Raises
    HyperparameterError: `label_names` or `positive_label` does not fit the labels.
    """
    if columns.score:
        return _of_scores(rows["train"], columns, settings)
    ways = _ways(rows, ignore_case=settings.join_label_case == "yes")
    labels = {key: max(sorted(written), key=lambda way: written[way]) for key, written in ways.items()}
    order = in_order(labels.values())
    names, findings = _named(order, settings), _spellings(ways, labels)
    if names is None:
        names, said = _from_file(order, names_file)
        findings += said
    spelled = {way: names[labels[key]] for key, written in ways.items() if labels[key] in names for way in written}
    kept = _positive_last([name for label, name in names.items() if label in order], order, names, settings)
    _refuse_untrained(rows, spelled)
    if not 2 - settings.one_class <= len(kept) <= MAX_LABELS:
        raise _wrong_number(rows["train"].file, columns, kept)
    return LabelSet(tuple(kept), spelled, None, findings)


def apply_labels(rows: Rows, labels: LabelSet) -> None:
    """Replace the labels as written by their names, in the order of their ids; set rows with other labels aside."""
    if labels.threshold is not None:
        return
    position = {name: number for number, name in enumerate(labels.names)}
    used = []
    for row in rows.used:
        if all(label in labels.spelled for label in row.labels):
            names = sorted({labels.spelled[label] for label in row.labels}, key=position.__getitem__)
            used.append(dataclasses.replace(row, labels=tuple(names)))
        else:
            rows.set_aside(row, "malformed", "the label is not among label_names")
    rows.used = used


def ids_of(rows: Iterable[Example], names: Sequence[str], threshold: float | None) -> list[tuple[int, ...]]:
    """Return the ids of each row's labels; `names` and `threshold` as in `LabelSet`."""
    if threshold is not None:
        return [(int(row.score is not None and row.score >= threshold),) for row in rows]
    position = {name: number for number, name in enumerate(names)}
    return [tuple(position[label] for label in row.labels) for row in rows]


def _of_scores(train: Rows, columns: Columns, settings: DataSettings) -> LabelSet:
    scores = [row.score for row in train.used if row.score is not None]
    shipped = (columns.text, columns.score) == SHIPPED
    threshold = settings.score_threshold
    if threshold == "auto":
        if not scores or not (shipped or 0 <= min(scores) < SHIPPED_THRESHOLD < max(scores) <= 2):
            span = f" The scores lie between {min(scores):g} and {max(scores):g}." if scores else ""
            raise DataError(
                f"{columns.score} of {train.file} is a score; from which value on is a text of the second class?{span}",
                hint="Say it: score_threshold. For a class, not a score, name label_column.",
            )
        threshold = SHIPPED_THRESHOLD
    names = tuple(_parts(settings.label_names)) or (SHIPPED_NAMES if shipped else SCORE_NAMES)
    if len(names) != 2:
        raise _bad("label_names", settings.label_names, "a score has two labels: below score_threshold, and from it on")
    if settings.positive_label not in ("", names[1]):
        raise _bad("positive_label", settings.positive_label, f"the label from score_threshold on is {names[1]}")
    sides = {score >= threshold for score in scores}
    if len(sides) == 1 and not settings.one_class:
        raise DataError(
            f"Every row of {train.file} is of one class, {names[int(sides.pop())]!r}: all values of "
            f"{columns.score!r} lie on one side of {threshold:g}. Both classes must occur.",
            hint="Check score_column and score_threshold, or give a file in which both classes occur.",
        )
    return LabelSet(names, threshold=float(threshold))


def _ways(rows: dict[str, Rows], *, ignore_case: bool) -> dict[str, Counter[str]]:
    """Count the spellings of each label; splits in one order, so that ties do not depend on it."""
    ways: dict[str, Counter[str]] = {}
    for of in rows.values():
        for row in of.used:
            for label in row.labels:
                ways.setdefault(label_key(label, ignore_case=ignore_case), Counter())[label] += 1
    return ways


def _spellings(ways: dict[str, Counter[str]], labels: dict[str, str]) -> list[Finding]:
    findings = []
    joined = {key: written for key, written in ways.items() if len(written) > 1}
    if joined:
        shown = ", ".join(labels[key] for key in sorted(joined)[:_SHOWN])
        count = sum(written.total() - written[labels[key]] for key, written in joined.items())
        findings.append(Finding("label_spellings", count, f"labels written in several ways were joined: {shown}"))
    folded: dict[str, list[str]] = {}
    for label in labels.values():
        folded.setdefault(label.casefold(), []).append(label)
    cases = sorted(sorted(same) for same in folded.values() if len(same) > 1)
    if cases:
        shown = "; ".join(" and ".join(same) for same in cases[:_SHOWN])
        count = sum(ways[key].total() for key, label in labels.items() if len(folded[label.casefold()]) > 1)
        message = f"labels differ in capitals only: {shown} (join_label_case=yes makes them one)"
        findings.append(Finding("label_case", count, message))
    return findings


def _parts(names: str) -> list[str]:
    return [part.strip() for part in names.split(",") if part.strip()]


def _named(order: list[str], settings: DataSettings) -> dict[str, str] | None:
    """Return label to name in the order of the ids, as `label_names` says; None if it is empty."""
    parts, value = _parts(settings.label_names), settings.label_names
    if not parts:
        return None
    if all("=" in part for part in parts):
        pairs = {label_of(left): right.strip() for left, _, right in (part.partition("=") for part in parts)}
        unknown = [label for label in pairs if label not in order]
        if unknown:
            raise _bad("label_names", value, f"there is no label {unknown[0]!r}; the labels are {_shown(order)}")
        names = {label: pairs.get(label, label) for label in order}
        if len(set(names.values())) < len(names):
            raise _bad("label_names", value, "two labels would have one name")
        return names
    if set(parts) & set(order):
        missing = [part for part in parts if part not in order]
        if missing:
            raise _bad("label_names", value, f"there is no label {missing[0]!r}; the labels are {_shown(order)}")
        return {part: part for part in parts}
    if len(parts) != len(order):
        raise _bad("label_names", value, f"these are {len(parts)} names for {len(order)} labels: {_shown(order)}")
    return dict(zip(order, parts, strict=True))


def _from_file(order: list[str], path: Path | None) -> tuple[dict[str, str], list[Finding]]:
    """Name labels that are numbers after the lines of a file beside the data, where it has a line for each."""
    same = {label: label for label in order}
    if path is None or not all(re.fullmatch(r"\d+", label) for label in order):
        return same, []
    lines = [line.strip() for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    first = 1 if order and int(order[0]) == 1 and int(order[-1]) == len(lines) else 0
    numbers = [int(label) for label in order]
    # Numbers that have a line each, counted from 0 and counted from 1, could be named either way.
    if not first and numbers and min(numbers) >= 1 and max(numbers) < len(lines):
        message = (
            f"{path.name} is not used: its {len(lines)} lines fit the labels counted from 0 and from 1 (label_names"
        )
        return same, [Finding("label_names", 0, f"{message} says what they are called)")]
    fits = all(first <= int(label) < len(lines) + first for label in order) and len(set(lines)) == len(lines)
    if not fits or not all(lines) or len(order) < len(lines) / 2:
        message = f"{path.name} is not used: its {len(lines)} lines do not fit the {len(order)} labels"
        return same, [Finding("label_names", 0, message)]
    message = f"labels are named after the {len(lines)} lines of {path.name}"
    return {label: lines[int(label) - first] for label in order}, [Finding("label_names", 0, message)]


def _positive_last(kept: list[str], order: list[str], names: dict[str, str], settings: DataSettings) -> list[str]:
    positive = settings.positive_label
    if not positive:
        return kept
    name = positive if positive in kept else names.get(positive, "")
    if len(kept) != 2 or name not in kept:
        allowed = f"one of {_shown(kept)}" if len(kept) == 2 else "only two labels have a positive one"
        raise _bad("positive_label", positive, allowed)
    return [other for other in kept if other != name] + [name]


def _refuse_untrained(rows: dict[str, Rows], spelled: Mapping[str, str]) -> None:
    train = _names_in(rows["train"], spelled)
    for split, of in rows.items():
        unknown = sorted(_names_in(of, spelled) - train)
        if unknown:
            others = _shown(unknown, len(of.used))
            raise DataError(
                f"The {split} file {of.file} has {'labels' if len(unknown) > 1 else 'the label'} {others}, "
                f"which the training data has not; it has {_shown(in_order(train), len(rows['train'].used))}.",
                hint="Correct the labels of one file, or add rows with that label to the training data. Labels that "
                "differ in capitals only are one with join_label_case=yes.",
            )


def _names_in(rows: Rows, spelled: Mapping[str, str]) -> set[str]:
    return {spelled[label] for row in rows.used for label in row.labels if label in spelled}


def _wrong_number(file: str, columns: Columns, kept: list[str]) -> DataError:
    column = ", ".join(columns.labels)
    if len(kept) == 1:
        return DataError(
            f"Every row of {file} is of one class, {kept[0]!r}: column {column} has one label; two must occur.",
            hint="Check label_column, or give a file in which at least two classes occur.",
        )
    found = f"{len(kept):,} labels" if kept else "no label"
    return DataError(
        f"Column {column} of {file} has {found}; 2 to {MAX_LABELS:,} are allowed.",
        hint="Check label_column; for numbers on a scale, name score_column with score_threshold instead.",
    )


def _shown(names: list[str], rows: int = 0) -> str:
    """Return the labels for a message; where there are nearly as many as `rows`, they may be texts, which are not."""
    if len(names) > MAX_LABELS or (rows and len(names) > max(_SHOWN, _TEXTS_SHARE * rows)):
        return f"({len(names):,} distinct values, not shown)"
    shown = ", ".join(name[:60] for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _bad(name: str, value: str, why: str) -> HyperparameterError:
    return HyperparameterError(f"Hyperparameter {name}={value} does not fit the data: {why}.", name=name, value=value)
