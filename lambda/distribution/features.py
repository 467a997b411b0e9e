"""The features of a prediction whose distributions are compared.

The edges are fixed, so that a metric means the same under every model. The baseline with the share of each bin belongs
to a model and is kept with it. Bins that are rare for a model are joined in the comparison, not here.
"""

import zlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote


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
"""Probability of the most probable label, at least 0.5 with two labels. The metrics' names are in per cent."""

LENGTH = Feature(
    name="length",
    edges=(25, 40, 60, 90, 150),
    metrics=("LengthBelow25", "Length25To40", "Length40To60", "Length60To90", "Length90To150", "LengthFrom150"),
)
"""Unicode characters of the text. The edges cut the article's sentences, half of them below 65, into even parts."""

FEATURES = (CONFIDENCE, LENGTH)

LABEL = "label"
"""The third feature, with a bin for each label of the model."""
NO_LABEL = "(none)"
"""Counts, as if it were a label, the texts that a model for several labels gives no label."""

PREDICTIONS = "Predictions"
"""Metric: how often a label was given, under `LABEL_DIMENSION`."""
VERSION_DIMENSION = "model_version"
"""Dimension of every metric here: the traffic of each model is counted by itself and compared with its own baseline."""
LABEL_DIMENSION = "label"
"""Dimension of `PREDICTIONS`: a series of `label_series`."""
MAX_LABEL_SERIES = 20
"""Series of labels that a model version has at most, besides `NO_LABEL`: each is a metric with a price."""

_ASCII = "".join(map(chr, range(32, 127))).replace("%", "")
_MAX_NAME = 200  # characters; CloudWatch takes 1024


def label_series(label: str, label_count: int | None) -> str:
    """Return the dimension value that a label is counted under.

    A model with up to `MAX_LABEL_SERIES` labels has a series for each label, named after it. A model with more has as
    many groups of labels, chosen by a hash: whoever counts an answer needs to know nothing else of the model.

    `label`: The label's name, or `NO_LABEL`. `label_count`: Number of the model's labels; None for a container that
    does not tell it: such models have few.
    """
    label = label.encode(errors="backslashreplace").decode()  # JSON can hold half of a surrogate pair
    if label_count is not None and label_count > MAX_LABEL_SERIES and label != NO_LABEL:
        return f"group {zlib.crc32(label.encode()) % MAX_LABEL_SERIES + 1:02d} of {MAX_LABEL_SERIES}"
    name = quote(label, safe=_ASCII)  # CloudWatch takes ASCII only
    return name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}~{zlib.crc32(label.encode()):08x}"


def count_series(labels: Mapping[str, int], label_count: int | None) -> dict[str, int]:
    """Return the numbers of the labels' series, in the order of the labels."""
    counts: dict[str, int] = {}
    for label, count in labels.items():
        series = label_series(label, label_count)
        counts[series] = counts.get(series, 0) + count
    return counts
