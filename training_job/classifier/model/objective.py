"""What the model learns: the score (regression), the label (classification) or the labels (multilabel).

A score is learned as `z = (score - mean) / unit`, so that one learning rate suits scores on any scale and the new head
starts at the mean. The last layer of the exported model reverts this linear step.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from classifier.errors import HyperparameterError

Objective = Literal["regression", "classification", "multilabel"]

TARGET_DEVIATION = 0.4
"""Standard deviation of z. That of the Helpful Sentences scores, for which learning rate and clipping were measured."""


@dataclass(frozen=True)
class ScoreScale:
    """The scale of the scores: `score = mean + unit * z`."""

    mean: float
    unit: float

    @classmethod
    def of(cls, scores: np.ndarray) -> Self:
        """Measure the scale of `scores`, (rows,) float; constant scores get the unit 1."""
        return cls(float(np.mean(scores)), float(np.std(scores)) / TARGET_DEVIATION or 1.0)

    def standardise(self, scores: np.ndarray) -> np.ndarray:
        """Turn scores into z, both (rows,) float."""
        z: np.ndarray = (np.asarray(scores, dtype=np.float64) - self.mean) / self.unit
        return z

    def restore(self, z: np.ndarray) -> np.ndarray:
        """Turn z into scores, both (rows,) float."""
        scores: np.ndarray = self.mean + self.unit * np.asarray(z, dtype=np.float64)
        return scores


def choose_objective(wanted: str, *, has_score: bool) -> Objective:
    """Choose the objective that the data allows.

    `wanted`: `auto`, `regression` or `classification`. `has_score`: whether every training row has a score. Raises
    HyperparameterError: regression is wanted, and there is no score.
    """
    if wanted == "regression" and not has_score:
        raise HyperparameterError(
            "objective=regression is not allowed for data without a score: auto or classification.",
            name="objective",
            value=wanted,
            hint="Take objective=auto, or name the score_column and leave label_column empty.",
        )
    return "classification" if wanted == "classification" or not has_score else "regression"


def targets(frame: pd.DataFrame, objective: Objective, scale: ScoreScale | None, labels: int) -> list[Any]:
    """Return what to learn from each row of `frame`: a standardised score, an id, or a 0 or 1 for each label."""
    if objective == "multilabel":
        return list(indicators(frame["label"], labels).astype(np.float32).tolist())
    if scale is None:
        return [int(label) for label in frame["label"]]
    return [float(z) for z in scale.standardise(frame["score"].to_numpy())]


def indicators(ids: Iterable[Iterable[int]], labels: int) -> np.ndarray:
    """Turn each row's ids into (rows, labels) bool."""
    rows = [list(row) for row in ids]
    found = np.zeros((len(rows), labels), dtype=bool)
    for place, row in enumerate(rows):
        found[place, row] = True
    return found


def truth_of(frame: pd.DataFrame, objective: Objective, labels: int) -> np.ndarray:
    """Return the labels of `frame`: (rows,) ids, or (rows, labels) bool for several labels."""
    return indicators(frame["label"], labels) if objective == "multilabel" else frame["label"].to_numpy(dtype=int)


def probabilities(logits: np.ndarray, objective: Objective) -> np.ndarray:
    """Turn logits into probabilities, both (rows, labels): a sigmoid for each label, or a softmax over all."""
    values = np.clip(logits.astype(np.float64), -500, 500)
    if objective == "multilabel":
        found: np.ndarray = 1 / (1 + np.exp(-values))
        return found
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return shares
