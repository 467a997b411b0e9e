"""What is learned: the score (regression) or the label (classification), and how its scale goes in and out.

A score is learned as ``z = (score - mean) / unit``, so that the same learning rate suits scores of any scale and the
new head starts at the mean. The way back is linear and ends up in the last layer of the exported model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from classifier.errors import HyperparameterInvalid

Kind = Literal["regression", "classification"]


TARGET_DEVIATION = 0.4
"""Standard deviation of z. That of the Helpful Sentences scores, for which learning rate and clipping were measured."""


@dataclass(frozen=True)
class ScoreScale:
    """The scale of the scores: ``score = mean + unit * z``."""

    mean: float
    unit: float

    @classmethod
    def of(cls, scores: np.ndarray) -> ScoreScale:
        """The scale of ``scores``, (rows,) float; constant scores keep the unit 1."""
        return cls(float(np.mean(scores)), float(np.std(scores)) / TARGET_DEVIATION or 1.0)

    def standardise(self, scores: np.ndarray) -> np.ndarray:
        """z: (rows,) float."""
        return (np.asarray(scores, dtype=np.float64) - self.mean) / self.unit

    def restore(self, z: np.ndarray) -> np.ndarray:
        """Scores: (rows,) float."""
        return self.mean + self.unit * np.asarray(z, dtype=np.float64)


def choose_objective(wanted: str, *, has_score: bool) -> Kind:
    """The objective for data with or without a score.

    Args:
        wanted: ``auto``, ``regression`` or ``classification``.
        has_score: whether every training row carries a score.

    Raises:
        HyperparameterInvalid: regression is wanted, and there is no score.
    """
    if wanted == "regression" and not has_score:
        raise HyperparameterInvalid(
            "objective=regression is not allowed for data without a score.",
            name="objective",
            value=wanted,
            allowed="auto or classification",
            hint="Take objective=auto, or name the score_column and leave label_column empty.",
        )
    if wanted == "classification" or not has_score:
        return "classification"
    return "regression"


def targets(frame: pd.DataFrame, kind: Kind, scale: ScoreScale | None) -> list[float] | list[int]:
    """What the model shall answer for each row of ``frame``: standardised scores, or labels."""
    if kind == "regression":
        assert scale is not None
        return [float(z) for z in scale.standardise(frame["score"].to_numpy())]
    return [int(label) for label in frame["label"]]


def loss(outputs: np.ndarray, wanted: np.ndarray, kind: Kind) -> float:
    """What training makes small: mean squared error, or cross-entropy.

    Args:
        outputs: (rows, 1) standardised scores, or (rows, 2) logits.
        wanted: (rows,) as ``targets`` gives them.
        kind: which of the two.
    """
    outputs = outputs.astype(np.float64)
    if kind == "regression":
        return float(np.mean((outputs[:, 0] - wanted) ** 2))
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    log_probability = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-np.mean(log_probability[np.arange(len(wanted)), wanted.astype(int)]))
