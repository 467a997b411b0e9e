"""Which rows are worth a person's time: the surest mistakes, and where challenger and champion part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gate.report.data import Row

SHOWN = 20
"""Rows in a table, at most."""


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """Where challenger and champion give different labels; one of the two is right."""

    challenger_right: int
    champion_right: int
    shown: tuple[Row, ...]
    """At most ``SHOWN``, those that the champion has right first, the challenger's surest answers first within."""


def confidence(row: Row) -> float:
    """The probability that the challenger gives to its own answer."""
    return row.probability if row.predicted == 1 else 1 - row.probability


def surest_mistakes(rows: Iterable[Row], predicted: int) -> list[Row]:
    """The wrong answers ``predicted``, surest first, at most ``SHOWN``; equally sure ones in file order."""
    wrong = [row for row in rows if row.predicted == predicted and row.label != predicted]
    return sorted(wrong, key=confidence, reverse=True)[:SHOWN]


def disagreement(rows: Iterable[Row]) -> Disagreement | None:
    """What the two models answer differently; None if no champion answered."""
    both = [row for row in rows if row.champion_predicted is not None]
    if not both:
        return None
    differing = [row for row in both if row.champion_predicted != row.predicted]
    losses = sorted((row for row in differing if row.predicted != row.label), key=confidence, reverse=True)
    gains = sorted((row for row in differing if row.predicted == row.label), key=confidence, reverse=True)
    return Disagreement(
        challenger_right=len(gains), champion_right=len(losses), shown=tuple(_share_places(losses, gains))
    )


def _share_places(losses: Sequence[Row], gains: Sequence[Row]) -> list[Row]:
    """Half of the places for each, and what one leaves free for the other."""
    half = SHOWN // 2
    taken = losses[: max(half, SHOWN - len(gains))]
    return [*taken, *gains[: SHOWN - len(taken)]]
