"""The data of a run: training, validation and test rows, and what is learned from them."""

import logging
import math
from dataclasses import dataclass, replace

import pandas as pd

from classifier.data.dataset import DataSettings, LabelledData, load_data
from classifier.data.holdout import hold_out
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

    Every choice is made on the validation rows: those of its own file, or held out of the training data. The test rows
    decide nothing. `scale` says how a score is standardised; `data` is what was read.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame | None
    objective: Objective
    scale: ScoreScale | None
    data: LabelledData


def load_splits(job: JobEnvironment, hp: Hyperparameters, *, quarantine: bool = True) -> Splits:
    """Read the channels, and hold out validation rows where there is no file of them.

    With `quarantine` the rows set aside are written to the output folder. Raises DataError: the data is refused. Raises
    HyperparameterError: the objective or a reading setting does not fit the data.
    """
    data = load_data(job.train, job.test, DataSettings.of(hp), quarantine=job.output_data_dir if quarantine else None)
    for line in data.summary():
        _log.info("data: %s", line)
    objective = data.objective
    if objective != "multilabel":
        objective = choose_objective(hp.objective, has_score=objective == "regression")
    frames = {split: frame_of(data, split) for split in data.splits}
    if "validation" not in frames:
        rows = data.splits["train"]
        fraction = held_out_fraction(len(rows), hp.validation_fraction, len(data.label_names))
        cut = hold_out(rows, data.ids("train"), fraction, seed=hp.seed)
        data = replace(data, splits={**data.splits, "train": cut.kept, "validation": cut.held})
        frames |= {split: frame_of(data, split) for split in ("train", "validation")}
        _log.info("data: %d rows to learn, %d to validate (%s held out)", len(cut.kept), len(cut.held), cut.drawn)
    return Splits(
        train=frames["train"],
        validation=frames["validation"],
        test=frames.get("test"),
        objective=objective,
        scale=ScoreScale.of(frames["train"]["score"].to_numpy()) if objective == "regression" else None,
        data=data,
    )


def held_out_fraction(rows: int, fraction: float, labels: int = 2) -> float:
    """Return the share of `rows` to hold out: `fraction`, or more where that would be too few rows to decide by.

    Many labels of few rows hold out half as much, because each row is worth more in training.
    """
    most = MAX_SMALL_FRACTION / (2 if labels >= 10 and rows < 20 * labels else 1)
    return max(fraction, min(most, MIN_VALIDATION_ROWS / rows))


def frame_of(data: LabelledData, split: str) -> pd.DataFrame:
    """Return the rows of a split as a table with the columns `text`, `label`, `score` and `family`."""
    rows, several = data.splits[split], data.objective == "multilabel"
    return pd.DataFrame(
        {
            "text": pd.Series([row.text for row in rows], dtype=object),
            "label": pd.Series(
                [ids if several else ids[0] for ids in data.ids(split)], dtype=object if several else int
            ),
            "score": [math.nan if row.score is None else row.score for row in rows],
            "family": pd.Series([row.family for row in rows], dtype=object),
        }
    )
