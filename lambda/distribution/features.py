"""The features of a prediction whose distributions are compared.

The edges are fixed, so that a metric means the same under every model. The baseline with the share of each bin belongs
to a model and is kept with it. Bins that are rare for a model are joined in the comparison, not here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A number known of every prediction, and the bins that it is counted in."""

    name: str
    """Its key in a baseline."""
    edges: tuple[float, ...]
    """Inner edges, ascending: bin i holds the values from edge i-1 on and below edge i; both ends are open."""
    metrics: tuple[str, ...]
    """CloudWatch metric of each bin, one more than edges: the number of predictions in it."""

    def count(self, values: Iterable[float]) -> list[int]:
        """Count the values in each bin."""
        counts = [0] * len(self.metrics)
        for value in values:
            counts[bisect_right(self.edges, value)] += 1
        return counts


CONFIDENCE = Feature(
    name="confidence",
    edges=(0.6, 0.7, 0.8, 0.9, 0.95),
    metrics=(
        "ConfidenceBelow60",
        "Confidence60To70",
        "Confidence70To80",
        "Confidence80To90",
        "Confidence90To95",
        "ConfidenceFrom95",
    ),
)
"""Probability of the answered label, at least 0.5 with two labels. The metrics' names are in per cent."""

LENGTH = Feature(
    name="length",
    edges=(25, 40, 60, 90, 150),
    metrics=("LengthBelow25", "Length25To40", "Length40To60", "Length60To90", "Length90To150", "LengthFrom150"),
)
"""Unicode characters of the text. The edges cut the article's sentences, half of them below 65, into even parts."""

FEATURES = (CONFIDENCE, LENGTH)

LABEL = "label"
"""The third feature, with a bin for each label of the model."""

PREDICTIONS = "Predictions"
"""Metric: number of predictions of a label, under `LABEL_DIMENSION`."""
VERSION_DIMENSION = "model_version"
"""Dimension of every metric here: the traffic of each model is counted by itself and compared with its own baseline."""
LABEL_DIMENSION = "label"
"""Dimension of `PREDICTIONS`: the label's name, which the model defines."""
