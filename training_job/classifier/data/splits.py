"""The data of a run: training, validation and test rows, and what is learned from them."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import Any

import pandas as pd

from classifier.data.columns import Columns
from classifier.data.holdout import hold_out
from classifier.data.prepare import find_data_file, prepare
from classifier.job.environment import JobEnvironment
from classifier.job.hyperparameters import Hyperparameters
from classifier.model.objective import Objective, ScoreScale, choose_objective

MIN_VALIDATION_ROWS = 200
"""Fewer rows decide nothing (standard error of accuracy above 2.5 points); small data sets hold out a larger share."""

MAX_SMALL_FRACTION = 0.2
"""Largest share that is held out for that reason."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Splits:
    """The rows of a run, with the columns `text`, `label`, `score` and `family`.

    A `label` is an id; with several labels a text it is a sorted tuple of ids, which may be empty.

    Attributes:
        validation: rows for every choice: those of its own file, or held out of the training data.
        test: rows that decide nothing; None if there are none.
        scale: how the score is standardised; None unless a score is learned.
        score_threshold: smallest score of label 1; None without scores.
        label_names: in the order of their ids.
        data_sha256: hash over the hashes of the files and their roles.
        quarantined: rows left out, by split and kind.
        manifest: how the data was read, as in `manifest.json`.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame | None
    objective: Objective
    scale: ScoreScale | None
    score_threshold: float | None
    label_names: tuple[str, ...]
    data_sha256: str
    quarantined: dict[str, dict[str, int]]
    manifest: dict[str, Any]


def load_splits(job: JobEnvironment, hp: Hyperparameters, *, quarantine: bool = True) -> Splits:
    """Read the channels, set unusable rows aside, and hold out the validation rows.

    Args:
        quarantine: whether to write the rows set aside to the output folder.

    Raises:
        DataError: the data is refused.
        HyperparameterError: the objective does not fit the data.
    """
    columns = Columns(
        text_column=hp.text_column,
        score_column=hp.score_column,
        score_threshold=hp.score_threshold,
        label_column=hp.label_column or None,
        label_names=hp.names_of_labels(),
        product_column=hp.product_column,
        family_column=hp.family_column,
    )
    files = {"train": find_data_file(job.train, "train")}
    if job.test is not None:
        files["test"] = find_data_file(job.test, "test")
    aside = job.output_data_dir if quarantine else None
    prepared = {
        split: prepare(path, columns, quarantine_path=aside / f"quarantine-{split}.jsonl" if aside else None)
        for split, path in files.items()
    }
    train, test = prepared["train"], prepared.get("test")
    objective = choose_objective(hp.objective, has_score=bool(train.frame["score"].notna().all()))
    cut = hold_out(train.frame, held_out_fraction(len(train.frame), hp.validation_fraction), seed=hp.seed)
    counts = {split: data.counts for split, data in prepared.items()}
    for split, of in counts.items():
        _log.info(
            "data: %s %d rows used, %d set aside (%s)", split, of["kept"], of["read"] - of["kept"], files[split].name
        )
    _log.info("data: %d rows to learn, %d to validate (%s held out)", len(cut.train), len(cut.validation), cut.drawn)
    return Splits(
        train=cut.train,
        validation=cut.validation,
        test=None if test is None else test.frame,
        objective=objective,
        scale=ScoreScale.of(cut.train["score"].to_numpy()) if objective == "regression" else None,
        label_names=train.label_names,
        data_sha256=_combined_hash({files[split].name: data.sha256 for split, data in prepared.items()}),
        quarantined={
            split: {kind: n for kind, n in of.items() if kind not in ("read", "kept")} for split, of in counts.items()
        },
    )


def held_out_fraction(rows: int, fraction: float) -> float:
    """Return the share of `rows` to hold out: `fraction`, or more where that would be too few rows to decide by."""
    return max(fraction, min(MAX_SMALL_FRACTION, MIN_VALIDATION_ROWS / rows))


def _combined_hash(hashes: dict[str, str]) -> str:
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
