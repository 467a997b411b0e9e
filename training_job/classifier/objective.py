"""What is learned: the score (regression) or the label (classification), and how its scale goes in and out.

A score is learned standardised, ``z = (score - mean) / deviation`` over the training rows, so that the same learning
rate suits scores of any scale and the new head starts at the mean. The way back is linear and ends up in the last
layer of the exported model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from classifier.errors import HyperparameterInvalid

Kind = Literal["regression", "classification"]


@dataclass(frozen=True)
class ScoreScale:
    """The scale of the scores: ``score = mean + deviation * z``."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, scores: np.ndarray) -> ScoreScale:
        """The scale of ``scores``, (rows,) float; constant scores keep deviation 1."""
        return cls(float(np.mean(scores)), float(np.std(scores)) or 1.0)

    def standardise(self, scores: np.ndarray) -> np.ndarray:
        """z: (rows,) float."""
        return (np.asarray(scores, dtype=np.float64) - self.mean) / self.deviation

    def restore(self, z: np.ndarray) -> np.ndarray:
        """Scores: (rows,) float."""
        return self.mean + self.deviation * np.asarray(z, dtype=np.float64)


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
