"""Counted predictions, of the baseline and of the traffic."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from distribution.features import CONFIDENCE, FEATURES, LABEL, NO_LABEL, count_series
from shared.errors import FunctionError


class BaselineError(FunctionError):
    """The champion's baseline is not as the gate writes it."""

    def __init__(self, uri: str, problem: str) -> None:
        super().__init__(f"{uri} {problem}. Next: train and release a model anew, which writes another baseline.")


@dataclass(frozen=True)
class Counts:
    """Numbers of predictions.

    `labels`: series of labels → how often one of them was given: once a prediction, or any number of times by a model
    for several labels. `bins`: name of a feature → predictions in each of its bins.
    """

    labels: dict[str, int]
    bins: dict[str, list[int]]

    @property
    def predictions(self) -> int:
        """Number of all predictions."""
        return sum(self.bins[CONFIDENCE.name])

    def __add__(self, other: Self) -> Self:
        return type(self)(
            {label: count + other.labels[label] for label, count in self.labels.items()},
            {name: list(map(int.__add__, counts, other.bins[name])) for name, counts in self.bins.items()},
        )

    @classmethod
    def none(cls, labels: Sequence[str]) -> Self:
        """Return zero counts for a model with these series of labels."""
        return cls(dict.fromkeys(labels, 0), {feature.name: [0] * len(feature.metrics) for feature in FEATURES})


def parse_baseline(content: bytes, uri: str) -> Counts:
    """Return the counts in the gate's `baseline.json`.

    Raises BaselineError: the file has another form; it is called `uri`.
    """
    try:
        document: Any = json.loads(content)
        named = {str(name): _count(value) for name, value in document[LABEL].items()}
        bins = {feature.name: [_count(value) for value in document[feature.name]] for feature in FEATURES}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BaselineError(uri, f"is no baseline ({type(error).__name__}: {error})") from error
    counts = Counts(count_series(named, len(named.keys() - {NO_LABEL})), bins)
    for feature in FEATURES:
        if len(bins[feature.name]) != len(feature.metrics) or sum(bins[feature.name]) != counts.predictions:
            raise BaselineError(uri, f"counts {feature.name} in other bins, or other predictions, than the rest")
    if counts.predictions and not sum(counts.labels.values()):
        raise BaselineError(uri, "counts predictions, but no label of them")
    return counts


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value
