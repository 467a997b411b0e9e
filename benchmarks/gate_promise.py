"""Measure what the gate promises: how often it refuses an equal challenger, and how often it approves a worse one.

The answers of champion and challenger are drawn from assumed rates and judged by the gate's own code; no model takes
part. `python benchmarks/gate_promise.py` takes under a minute.
"""

from __future__ import annotations

import argparse
import itertools
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "training_job"), str(ROOT / "lambda")]

from classifier.evaluation.bootstrap import Joint  # noqa: E402
from gate.statistics.measure import Measured, measure_counts  # noqa: E402
from gate.statistics.slices import MIN_ROWS, SliceCounts  # noqa: E402
from gate.statistics.verdict import Thresholds, reach_verdict  # noqa: E402

MARGINS = (0.01, 0.015, 0.02, 0.025, 0.0275, 0.03, 0.035, 0.04)
DROPS = (0.0, 0.02, 0.03, 0.05)
MIN_ACCURACY, MIN_F1 = 0.80, 0.80

_LENGTHS = (0.10, 0.25, 0.40, 0.25)
_FAMILIES = (0.3, 0.25, 0.2, 0.15, 0.1)
"""Assumed shares of text lengths and of product families, independent of each other and of the mistakes."""


@dataclass(frozen=True)
class Setting:
    """An assumed pair of classifiers.

    Attributes:
        rows: size of the test set.
        accuracy: the champion's true accuracy.
        discordance: share of rows on which exactly one of two equally good classifiers is right.
        positives: share of label 1.
    """

    rows: int
    accuracy: float
    discordance: float
    positives: float = 0.65

    def probabilities(self, drop: float) -> np.ndarray:
        """Return the probabilities (8,) of the cells of `Joint`, for a challenger whose true accuracy is `drop` lower.

        Its additional mistakes come on top of the discordance of equal classifiers, which is the less favourable
        assumption. Mistakes fall on both labels in proportion to their share.
        """
        only_champion = self.discordance / 2 + drop
        only_challenger = self.discordance / 2
        both = self.accuracy - only_champion
        neither = 1 - both - only_champion - only_challenger
        negative = [both, only_champion, only_challenger, neither]
        return np.array(
            [(1 - self.positives) * share for share in negative]
            + [self.positives * share for share in reversed(negative)]
        )


SETTINGS = (
    Setting(1000, 0.868, 0.04),
    Setting(1000, 0.868, 0.06),
    Setting(1000, 0.868, 0.09),
    Setting(177, 0.97, 0.03),
    Setting(2000, 0.868, 0.06),
)


def draw(counts: Sequence[int], resamples: int, seed: int) -> list[list[int]]:
    """Draw the bootstrap's resamples with numpy: the same distribution, and faster for few resamples."""
    rows = sum(counts)
    drawn: list[list[int]] = np.random.default_rng(seed).multinomial(rows, np.array(counts) / rows, resamples).tolist()
    return drawn


def simulate(
    setting: Setting, drop: float, *, sets: int, bootstrap: int, rng: np.random.Generator
) -> Iterator[Measured]:
    """Draw test sets and measure each as the gate does.

    Args:
        setting: the champion, and how much the two classifiers differ.
        drop: distance of the challenger's true accuracy below the champion's.
        sets: number of test sets.
        bootstrap: resamples of each interval; the gate itself takes 9,999.
        rng: draws the test sets.
    """
    parts = np.outer(_LENGTHS, _FAMILIES)
    shares = parts[:, :, None] * setting.probabilities(drop)
    drawn = rng.multinomial(setting.rows, shares.ravel(), size=sets).reshape(sets, *shares.shape)
    for cells in drawn:
        joint = Joint(*cells.sum(axis=(0, 1)).tolist())
        named = {f"text length: {place}": row for place, row in enumerate(cells.sum(axis=1).tolist())}
        named |= {f"family: {place}": row for place, row in enumerate(cells.sum(axis=0).tolist())}
        slices = [_slice(name, Joint(*counts)) for name, counts in named.items() if sum(counts) >= MIN_ROWS]
        yield measure_counts(joint.challenger, joint, slices, resamples=bootstrap, draw=draw)


def _slice(name: str, joint: Joint) -> SliceCounts:
    only_champion, only_challenger = joint.n001 + joint.n110, joint.n010 + joint.n101
    return SliceCounts(name, sum(joint), only_champion, only_challenger, joint.n000 + joint.n111)


def approved_shares(measured: Sequence[Measured], margins: Sequence[float] = MARGINS) -> list[float]:
    """Return the share of test sets on which the gate would approve, for each margin."""
    shares = []
    for margin in margins:
        thresholds = Thresholds(MIN_ACCURACY, MIN_F1, margin)
        shares.append(sum(reach_verdict(one, thresholds).outcome == "passed" for one in measured) / len(measured))
    return shares


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resamples", type=int, default=400, help="test sets per cell (default: %(default)s)")
    parser.add_argument("--bootstrap", type=int, default=999, help="resamples per interval (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the test sets (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.resamples < 1 or arguments.bootstrap < 1 or arguments.seed < 0:
        parser.error("--resamples and --bootstrap must be at least 1, --seed at least 0")
    rng = np.random.default_rng(arguments.seed)
    started = time.monotonic()
    print(
        f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}; "
        f"{arguments.resamples} test sets per cell, {arguments.bootstrap} bootstrap resamples, "
        f"seed {arguments.seed}; floors {MIN_ACCURACY} and {MIN_F1}"
    )
    margins = " | ".join(f"δ={margin}" for margin in MARGINS)
    print(f"\n| rows | champion | discordant | challenger | share | {margins} |")
    print("|---" * (5 + len(MARGINS)) + "|")
    cells = list(itertools.product(SETTINGS, DROPS))
    for number, (setting, drop) in enumerate(cells, 1):
        print(f"{number} of {len(cells)}", end="\r", file=sys.stderr, flush=True)
        measured = list(simulate(setting, drop, sets=arguments.resamples, bootstrap=arguments.bootstrap, rng=rng))
        shares = approved_shares(measured)
        kind, word = (f"{100 * drop:.0f} points worse", "approved") if drop else ("equal", "refused")
        values = " | ".join(f"{share if drop else 1 - share:.1%}" for share in shares)
        known = f"{setting.rows} | {setting.accuracy} | {setting.discordance:.0%}"
        print(f"| {known} | {kind} | {word} | {values} |", flush=True)
    print(f"\n{time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
