"""The features of a prediction whose distributions are compared. No AWS in here.

The edges are fixed, so that a metric means the same under every model; how common a bin is belongs to a model and is
kept with it. Bins that are rare for a model are joined when it is compared, not here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A number known of every prediction, and the bins it is counted in."""

    name: str
    """As it stands in a baseline."""
    edges: tuple[float, ...]
    """Inner edges, ascending: bin i holds the values from edge i-1 on and below edge i; both ends are open."""
    metrics: tuple[str, ...]
    """CloudWatch metric of each bin, one more than edges: how many predictions fell into it."""

    def count(self, values: Iterable[float]) -> list[int]:
        """How many of `values` fall into each bin."""
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
"""Probability of the label that was given; two labels, so at least 0.5. Metric names in per cent."""

LENGTH = Feature(
    name="length",
    edges=(25, 40, 60, 90, 150),
    metrics=(
        "LengthBelow25",
        "Length25To40",
        "Length40To60",
        "Length60To90",
        "Length90To150",
        "LengthFrom150",
    ),
)
"""Unicode characters of the text. The edges cut the article's sentences, half of them below 65, into even parts."""

FEATURES = (CONFIDENCE, LENGTH)

LABEL = "label"
"""The third feature, in a bin for each label of the model."""

PREDICTIONS = "Predictions"
"""Metric: how many predictions gave a label, under `LABEL_DIMENSION`."""
VERSION_DIMENSION = "model_version"
"""Dimension of every metric here: a model is compared with its own baseline, so its traffic is counted by itself."""
LABEL_DIMENSION = "label"
"""Dimension of `PREDICTIONS`: the label's name, which is the model's own."""
