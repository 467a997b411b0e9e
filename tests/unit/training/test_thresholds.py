"""The thresholds of several labels: good for F1, and not the luck of a few rows."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.model.thresholds import CUTS, UNKNOWN, choose_thresholds, cross_fitted


def drawn(rows: int, share: float, seed: int = 0, spread: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Draw probabilities of one label around `share`, and the truth from them: a calibrated model."""
    rng = np.random.default_rng(seed)
    centre = np.log(share / (1 - share)) - 1
    chances = 1 / (1 + np.exp(-rng.normal(centre, spread, (rows, 1))))
    return chances, rng.random((rows, 1)) < chances


def f1(given: np.ndarray, truth: np.ndarray) -> float:
    """F1 of one label."""
    return float(2 * (given & truth).sum() / max(given.sum() + truth.sum(), 1))


def test_a_rare_label_is_given_below_one_half() -> None:
    """For the best F1 of an uncertain label the threshold lies well below 0.5, and near the best cut of many rows."""
    chances, truth = drawn(50_000, 0.05)
    chosen = choose_thresholds(chances, truth)[0]
    best = max(f1(chances >= cut, truth) for cut in CUTS)
    assert 0.1 < chosen < 0.45
    assert f1(chances >= chosen, truth) > best - 0.005


def test_few_rows_do_not_lead_far_astray() -> None:
    """With about ten rows of a label, the chosen cuts are nearer to the best F1 than the best cuts of those rows."""
    later, later_truth = drawn(50_000, 0.02, seed=99)
    best = max(f1(later >= cut, later_truth) for cut in CUTS)
    lost, lost_by_luck = [], []
    for seed in range(20):
        chances, truth = drawn(200, 0.02, seed)
        lucky = max(CUTS, key=lambda cut: f1(chances >= cut, truth))
        lost.append(best - f1(later >= choose_thresholds(chances, truth)[0], later_truth))
        lost_by_luck.append(best - f1(later >= lucky, later_truth))
    assert np.mean(lost) < 0.7 * np.mean(lost_by_luck)


def test_a_label_that_no_cut_gives_keeps_one_half() -> None:
    """Probabilities below every cut say nothing about where to cut."""
    assert choose_thresholds(np.zeros((10, 1)), np.zeros((10, 1), dtype=bool)) == pytest.approx([UNKNOWN])


def test_a_label_without_validation_rows_has_a_threshold_from_its_probabilities() -> None:
    """What the model itself expects is all there is."""
    chances, _ = drawn(500, 0.05)
    chosen = choose_thresholds(chances, np.zeros((500, 1), dtype=bool))[0]
    assert CUTS[0] <= chosen <= CUTS[-1] and chosen != UNKNOWN


def test_cross_fitting_decides_each_half_by_the_other() -> None:
    """The two halves have different best cuts, and each is decided by the other's."""
    rng = np.random.default_rng(0)
    chances = rng.random((2_000, 1))
    truth = np.where(np.arange(2_000)[:, None] % 2 == 0, chances > 0.8, chances > 0.2)
    given = cross_fitted(chances, truth)
    odd, even = choose_thresholds(chances[1::2], truth[1::2]), choose_thresholds(chances[::2], truth[::2])
    assert (given[::2] == (chances[::2] >= odd)).all() and (given[1::2] == (chances[1::2] >= even)).all()
    assert odd[0] < even[0]
