"""From a file or a folder to labelled splits."""

import dataclasses
import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from classifier.data import canonical
from classifier.data.columns import Columns, choose_columns, refuse_idle_flags, refuse_other_decimals
from classifier.data.findings import Finding, look_over
from classifier.data.holdout import hold_out
from classifier.data.labels import LabelSet, apply_labels, ids_of, settle_labels
from classifier.data.layout import MANIFEST, Sources, find_sources
from classifier.data.rows import Example, Rows, refuse_lost, set_duplicates_aside, use_rows, write_quarantine
from classifier.data.settings import DataSettings
from classifier.data.summary import summary_of
from classifier.errors import DataError
from classifier.model.objective import Objective
from tables import Table, TableError, read_table
from tables.names import shown_names

_REASONS = 5

__all__ = ["DataSettings", "Example", "LabelledData", "load_data"]


@dataclass(frozen=True)
class LabelledData:
    """The usable rows of a data set, by split, and what was found out about them.

    A label's id is its position in `label_names`. `score_threshold` is the smallest score of label 1. The manifest is
    that of `manifest.json`, which travels with the canonical files.
    """

    objective: Objective
    label_names: tuple[str, ...]
    score_threshold: float | None
    splits: dict[str, list[Example]]
    manifest: dict[str, Any]

    @property
    def data_sha256(self) -> str:
        """The hash of what is learned and tested: the same for a raw file and for its canonical form."""
        return canonical.hash_of(self.manifest)

    @property
    def set_aside(self) -> dict[str, dict[str, int]]:
        """Rows that are not used, by split and kind."""
        found: dict[str, dict[str, int]] = self.manifest["set_aside"]
        return found

    def ids(self, split: str) -> list[tuple[int, ...]]:
        """Return the ids of the labels of each row of a split."""
        return ids_of(self.splits[split], self.label_names, self.score_threshold)

    def write(self, folder: Path) -> dict[str, Any]:
        """Write the canonical files and `manifest.json` into `folder`; return the manifest."""
        canonical.write(folder, self.splits, self.manifest)
        return self.manifest

    def summary(self) -> list[str]:
        """Return the few lines that tell a person how the data was read, and what looks wrong."""
        return summary_of(self.manifest)

    def inspect(self, *, tokenizer: Path | None = None, suspects: Path | None = None) -> Self:
        """Look for what takes longer to find: likely label errors, and texts that the `tokenizer.json` cannot read.

        The rows whose label is likely wrong go to `suspects` (split, line, label and likely label; no text).
        """
        from classifier.data.suspects import find_suspects, unreadable  # scikit-learn takes a second to import

        found = find_suspects(self.splits["train"], suspects) if self.objective == "classification" else []
        found += unreadable(self.splits, tokenizer) if tokenizer else []
        findings = self.manifest["findings"] + [dataclasses.asdict(finding) for finding in found]
        return dataclasses.replace(self, manifest={**self.manifest, "findings": findings})


def load_data(
    train: Path, test: Path | None, settings: DataSettings | None = None, *, quarantine: Path | None = None
) -> LabelledData:
    """Read raw files or canonical ones: a file, or a folder with files that are named after their splits.

    `test` is None if nobody named one; a folder without data files counts as None. `quarantine` is a folder for
    `quarantine-SPLIT.jsonl`, the rows set aside. Raises DataError: the data is refused; the message says why and what
    helps, and quotes no text. Raises HyperparameterError: a setting does not fit the data.
    """
    settings = settings or DataSettings()
    sources = find_sources(Path(train), None if test is None else Path(test))
    manifest = canonical.manifest_beside(sources)
    if manifest is not None:
        canonical.refuse_others(sources)
        try:
            splits = canonical.read(sources, manifest, settings)
            names, threshold = tuple(manifest["labels"]), manifest["score_threshold"]
            data = LabelledData(manifest["objective"], names, threshold, splits, manifest)
            _ = data.summary(), data.data_sha256, data.set_aside, [data.ids(split) for split in ("train", *splits)]
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{MANIFEST} is damaged.", hint="Read the original file again.") from error
        return data
    return _Reading(sources, settings, quarantine).labelled()


@dataclass
class _Reading:
    """One reading of raw files."""

    sources: Sources
    settings: DataSettings
    quarantine: Path | None

    def labelled(self) -> LabelledData:
        """Read, choose columns, settle the labels, set rows aside, hold out, and look over."""
        tables, columns = self._tables()
        rows = {split: use_rows(self._name(split), table.rows, columns) for split, table in tables.items()}
        self._refuse_lost(rows)
        labels = settle_labels(rows, columns, self.settings, self.sources.labels)
        target = columns.score or ", ".join(columns.labels)
        for of in rows.values():
            apply_labels(of, labels)
            set_duplicates_aside(of, target)
        self._refuse_lost(rows)
        objective: Objective = "regression" if columns.score else "multilabel" if columns.several else "classification"
        splits = {split: of.used for split, of in rows.items()}
        findings = [Finding("note", 0, note) for note in columns.notes + tables["train"].notes]
        findings += self._read_otherwise(tables)
        findings += [Finding("unused_file", 0, f"{name} is not used") for name in self.sources.unused]
        findings += [finding for of in rows.values() for finding in _told_aside(of)] + labels.findings
        findings += [] if self.settings.one_class else _single(splits, labels)
        held_out = None if "test" in splits else self._hold_out(splits, labels)
        ids = {split: ids_of(used, labels.names, labels.threshold) for split, used in splits.items()}
        findings += look_over(splits, ids, labels.names, scored=bool(columns.score))
        manifest = {
            "version": canonical.VERSION,
            "objective": objective,
            "labels": list(labels.names),
            "score_threshold": labels.threshold,
            "source": self._source(tables["train"], columns),
            "splits": {
                split: {
                    "file": canonical.file_name(split),
                    "sha256": hashlib.sha256(canonical.lines_of(used, objective)).hexdigest(),
                    "rows": len(used),
                    "labels": _counts(ids[split], labels.names),
                }
                for split, used in splits.items()
            },
            "held_out": held_out,
            "set_aside": {split: of.counts() for split, of in rows.items()},
            "findings": [dataclasses.asdict(finding) for finding in findings],
        }
        return LabelledData(objective, labels.names, labels.threshold, splits, manifest)

    def _name(self, split: str) -> str:
        return self.sources.files[split].name

    def _tables(self) -> tuple[dict[str, Table], Columns]:
        told = self.settings
        named = (told.text_column, told.label_column, told.score_column if not told.label_column else "")
        train = _table(self.sources.files["train"], told, tuple(name for name in named if name))
        parsed = [row.values for row in train.rows if row.values is not None]
        if not parsed:
            self._refuse_lost({"train": use_rows(self._name("train"), train.rows, Columns("text"))})
        columns = choose_columns(self._name("train"), train.columns, parsed, told)
        needed = (columns.text, *columns.labels, *filter(None, [columns.score]))
        tables = {"train": train}
        for split in ("validation", "test"):
            if split in self.sources.files:
                tables[split] = _table(self.sources.files[split], told, needed)
                missing = [name for name in needed if name not in tables[split].columns]
                if missing:
                    raise DataError(
                        f"{self._name(split)} has no column {missing[0]!r}, which is read from the training data; its "
                        f"columns are: {shown_names(tables[split].columns)}.",
                        hint="Give all files the same columns.",
                    )
                others = [row.values for row in tables[split].rows if row.values is not None]
                refuse_other_decimals(columns, self._name("train"), self._name(split), others)
                if not told.label_column:
                    refuse_idle_flags(columns, parsed, self._name(split), others)
        return tables, columns

    def _read_otherwise(self, tables: dict[str, Table]) -> list[Finding]:
        """Tell how files were read that are not like the training file, and what was noted about them."""
        train, findings = tables["train"], []
        for split in ("validation", "test"):
            if split not in tables:
                continue
            table, name = tables[split], self._name(split)
            if table.how.sentence() != train.how.sentence():
                findings.append(Finding("note", 0, f"{name} was read as {table.how.sentence()}"))
            findings += [Finding("note", 0, f"{name}: {note}") for note in table.notes if note not in train.notes]
        return findings

    def _refuse_lost(self, rows: dict[str, Rows]) -> None:
        for split, of in rows.items():
            path = self.quarantine / f"quarantine-{split}.jsonl" if self.quarantine else None
            if path:
                write_quarantine(of, path)
            refuse_lost(of, self.settings.max_lost_share, path)

    def _hold_out(self, splits: dict[str, list[Example]], labels: LabelSet) -> dict[str, Any] | None:
        fraction, seed = self.settings.test_fraction, self.settings.seed
        if not fraction:
            return None
        ids = ids_of(splits["train"], labels.names, labels.threshold)
        # Two rows of a label stay: one to learn, and one to validate.
        keep = 1 if "validation" in splits else 2
        cut = hold_out(splits["train"], ids, fraction, seed=seed, keep=keep)
        if not cut.held:
            return None
        splits["train"], splits["test"] = cut.kept, cut.held
        how = "whole groups" if cut.drawn == "groups" else "rows of each label in proportion"
        return {"split": "test", "fraction": fraction, "seed": seed, "how": how}

    def _source(self, train: Table, columns: Columns) -> dict[str, Any]:
        files = {}
        for split, path in self.sources.files.items():
            with path.open("rb") as file:
                files[split] = {"name": path.name, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
        return {
            **files["train"],
            "files": files,
            "read_as": {**dataclasses.asdict(train.how), "sentence": train.how.sentence()},
            "columns": columns.as_dict(),
            "settings": self.settings.given(),
        }


def _table(path: Path, settings: DataSettings, wanted: tuple[str, ...]) -> Table:
    try:
        return read_table(path, settings, wanted=wanted)
    except TableError as error:
        raise DataError(error.message, hint=error.hint) from error


def _counts(ids: list[tuple[int, ...]], names: tuple[str, ...]) -> dict[str, int]:
    counts = Counter(label for row in ids for label in row)
    return {name: counts[number] for number, name in enumerate(names)}


def _told_aside(rows: Rows) -> list[Finding]:
    """Say how many rows are not used, and why."""
    if not rows.aside:
        return []
    reasons = Counter(row.reason for row in rows.aside).most_common(_REASONS)
    shown = ", ".join(f"{count:,} {reason}" for reason, count in reasons)
    return [Finding("set_aside", len(rows.aside), f"{rows.file}: {len(rows.aside):,} rows are not used: {shown}")]


def _single(splits: dict[str, list[Example]], labels: LabelSet) -> list[Finding]:
    """Tell of labels with one training row, which cannot be learned and validated both."""
    counts = Counter(label for ids in ids_of(splits["train"], labels.names, labels.threshold) for label in ids)
    single = [name for number, name in enumerate(labels.names) if counts[number] == 1]
    if not single or "validation" in splits:
        return []
    shown = ", ".join(single[:10]) + (f" and {len(single) - 10} more" if len(single) > 10 else "")
    if len(labels.names) == 2:
        raise DataError(
            f"Class {shown} has 1 row; at least 2 of each class are needed to hold some out.",
            hint="Add rows of that class, or a file named validation with rows of both.",
        )
    message = f"labels with one row are learned, but neither validated nor tested: {shown} (add rows or join labels)"
    return [Finding("single_row", len(single), message)]
