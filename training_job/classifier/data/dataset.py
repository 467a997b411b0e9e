"""From a file or a folder to labelled splits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.data.settings import DataSettings
from classifier.model.objective import Objective


@dataclass(frozen=True)
class Example:
    """A labelled text.

    Attributes:
        labels: names; one for classification, any number for multilabel, none for regression.
        score: None unless the data has scores.
        line: its first line in the file, from 1.
    """

    text: str
    labels: tuple[str, ...] = ()
    score: float | None = None
    group: str = ""
    family: str = ""
    line: int = 0


@dataclass(frozen=True)
class LabelledData:
    """The usable rows of a data set, by split, and what was found out about them.

    Attributes:
        splits: rows of `train`, and of `validation` and `test` where there are any.
        label_names: the label set of all splits; a label's id is its position.
        score_threshold: smallest score of label 1; None without scores.
        data_sha256: hash over the files' hashes and their roles.
        set_aside: rows that are not used, by split and kind.
        manifest: as in `manifest.json`, which travels with the canonical files.
    """

    objective: Objective
    label_names: tuple[str, ...]
    score_threshold: float | None
    splits: dict[str, list[Example]]
    data_sha256: str
    set_aside: dict[str, dict[str, int]]
    manifest: dict[str, Any]

    def write(self, folder: Path) -> dict[str, Any]:
        """Write the canonical files and `manifest.json` into `folder`; return the manifest."""
        raise NotImplementedError

    def summary(self) -> list[str]:
        """Return the few lines that tell a person how the data was read, and what looks wrong."""
        raise NotImplementedError

    def inspect(self, *, tokenizer: Path | None = None, suspects: Path | None = None) -> LabelledData:
        """Look for what takes longer to find: likely label errors, and texts that the base model cannot read.

        Args:
            tokenizer: a `tokenizer.json`.
            suspects: file for the rows whose label is likely wrong (split, line, label and likely label; no text).
        """
        raise NotImplementedError


def load_data(
    train: Path, test: Path | None, settings: DataSettings | None = None, *, quarantine: Path | None = None
) -> LabelledData:
    """Read raw files or canonical ones: a file, or a folder with files that are named after their splits.

    Args:
        test: None if nobody named one; a folder without data files counts as None.
        quarantine: folder for `quarantine-SPLIT.jsonl`, the rows set aside.

    Raises:
        DataError: the data is refused; the message says why and what helps, and quotes no text.
    """
    raise NotImplementedError
