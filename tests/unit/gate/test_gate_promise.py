"""What the gate promises with the default margin, measured small; `benchmarks/gate_promise.py` measures it in full."""

from __future__ import annotations

import pytest

from benchmarks.gate_promise import BROKEN, EQUAL, Challenger, Setting, approved_shares, simulate
from gate.statistics.verdict import DEFAULT_MARGIN

LARGE = Setting(rows=1000, accuracy=0.868, discordance=0.06)
SMALL = Setting(rows=177, accuracy=0.97, discordance=0.03)
MANY = Setting(rows=1540, accuracy=0.93, discordance=0.05, labels=77)
SEVERAL = Setting(rows=800, accuracy=0.7, discordance=0.1, labels=6, multilabel=True)


@pytest.mark.parametrize(
    ("setting", "challenger", "least", "most"),
    [
        (LARGE, EQUAL, 0.82, 1.0),
        (LARGE, Challenger(0.02), 0.0, 0.22),
        (LARGE, Challenger(0.03), 0.0, 0.05),
        (LARGE, Challenger(0.05), 0.0, 0.0),
        (SMALL, EQUAL, 0.95, 1.0),
        (SMALL, Challenger(0.10), 0.0, 0.05),
        (MANY, EQUAL, 0.90, 1.0),
        (MANY, BROKEN, 0.0, 0.05),
        (MANY, Challenger(0.03), 0.0, 0.05),
        (SEVERAL, EQUAL, 0.85, 1.0),
        (SEVERAL, BROKEN, 0.0, 0.05),
    ],
)
def test_how_often_a_challenger_is_approved(
    setting: Setting, challenger: Challenger, least: float, most: float
) -> None:
    """Equal ones nearly always, 2 points worse seldom, 5 never; the bounds allow for the chance in so few test sets."""
    sets = 60 if setting.labels == 2 else 30
    (share,) = approved_shares(list(simulate(setting, challenger, sets=sets, seed=11)), [DEFAULT_MARGIN])
    assert least <= share <= most


def test_an_assumed_challenger_is_as_much_worse_as_it_says() -> None:
    """The simulation's answers have the accuracies that it claims."""
    for setting in (Setting(20_000, 0.868, 0.06), Setting(20_000, 0.868, 0.06, labels=5)):
        (measured,) = simulate(setting, Challenger(0.03), sets=1, seed=1)
        assert measured.comparison is not None
        assert measured.comparison.champion.accuracy.value == pytest.approx(0.868, abs=0.008)
        assert measured.figures.accuracy.value == pytest.approx(0.838, abs=0.009)
