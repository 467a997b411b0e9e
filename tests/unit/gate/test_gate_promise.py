"""What the gate promises with the default margin, measured small; `benchmarks/gate_promise.py` measures it in full."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.gate_promise import Setting, approved_shares, simulate

MARGIN = 0.0275
LARGE = Setting(rows=1000, accuracy=0.868, discordance=0.06)
SMALL = Setting(rows=177, accuracy=0.97, discordance=0.03)


@pytest.mark.parametrize(
    ("setting", "drop", "least", "most"),
    [
        (LARGE, 0.0, 0.84, 1.0),
        (LARGE, 0.02, 0.0, 0.20),
        (LARGE, 0.03, 0.0, 0.05),
        (LARGE, 0.05, 0.0, 0.0),
        (SMALL, 0.0, 0.95, 1.0),
        (SMALL, 0.10, 0.0, 0.05),
    ],
)
def test_how_often_a_challenger_is_approved(setting: Setting, drop: float, least: float, most: float) -> None:
    """Equal ones nearly always, 2 points worse seldom, 5 never; the bounds allow for the chance in 200 test sets."""
    measured = list(simulate(setting, drop, sets=200, bootstrap=300, rng=np.random.default_rng(11)))
    (share,) = approved_shares(measured, [MARGIN])
    assert least <= share <= most


def test_an_assumed_challenger_is_as_much_worse_as_it_says() -> None:
    """The simulation's probabilities add up to the accuracies that it claims."""
    for drop in (0.0, 0.03):
        n000, n001, n010, _n011, n100, n101, n110, n111 = LARGE.probabilities(drop)
        assert n000 + n001 + n110 + n111 == pytest.approx(0.868)
        assert n000 + n010 + n101 + n111 == pytest.approx(0.868 - drop)
        assert n100 + n101 + n110 + n111 == pytest.approx(0.65)
