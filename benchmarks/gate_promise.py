"""Measure what the gate promises: how often it refuses an equal challenger, and how often it approves a worse one.

The answers of champion and challenger are drawn from assumed rates and judged by the gate's own code; no model takes
part. `python benchmarks/gate_promise.py` takes a few minutes.
"""

import argparse
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "training_job"), str(ROOT / "lambda")]

from gate.evidence.job_output import Row  # noqa: E402
from gate.statistics.measure import Measured, measure_answers  # noqa: E402
from gate.statistics.verdict import Thresholds, reach_verdict  # noqa: E402

MARGINS = (0.015, 0.02, 0.025, 0.0275, 0.03, 0.035, 0.04)

_WORDS, _LENGTHS = (4, 8, 15, 30), (0.10, 0.25, 0.40, 0.25)
_FAMILIES, _SHARES = ("a", "b", "c", "d", "e"), (0.3, 0.25, 0.2, 0.15, 0.1)
"""Assumed shares of text lengths and of families, independent of each other and of the mistakes."""

_BROKEN_RECALL = 0.1


@dataclass(frozen=True)
class Setting:
    """An assumed pair of classifiers.

    Attributes:
        rows: size of the test set.
        accuracy: the champion's true accuracy; with several labels a text, its recall and precision of each label.
        discordance: share of rows on which exactly one of two equally good classifiers is right; with several labels
            a text, the share of a label's rows.
        labels: number of labels.
        positives: share of label 1 of two; more labels are equally frequent.
        multilabel: several labels a text. The labels' shares then fall from a quarter of the rows to a hundredth.
    """

    rows: int
    accuracy: float
    discordance: float
    labels: int = 2
    positives: float = 0.65
    multilabel: bool = False

    @property
    def names(self) -> list[str]:
        """Names of the labels."""
        return [f"label {number}" for number in range(self.labels)]


@dataclass(frozen=True)
class Challenger:
    """An assumed challenger: `drop` less accurate on every row, and with one label that it hardly ever gives."""

    drop: float = 0.0
    broken: bool = False

    @property
    def kind(self) -> str:
        """What it is called."""
        return "one label broken" if self.broken else f"{100 * self.drop:.0f} points worse" if self.drop else "equal"

    @property
    def equal(self) -> bool:
        """Whether it is as good as the champion."""
        return not self.broken and not self.drop


EQUAL, BROKEN = Challenger(), Challenger(broken=True)
WORSE = tuple(Challenger(drop) for drop in (0.02, 0.03, 0.05))
SETTINGS = (
    Setting(1000, 0.868, 0.06),
    Setting(177, 0.97, 0.03),
    Setting(500, 0.90, 0.06, labels=5),
    Setting(1000, 0.90, 0.06, labels=20),
    Setting(1540, 0.93, 0.05, labels=77),
    Setting(1500, 0.70, 0.10, labels=10, multilabel=True),
)


def simulate(setting: Setting, challenger: Challenger, *, sets: int, seed: int) -> Iterator[Measured]:
    """Draw test sets and measure each as the gate does."""
    random = Random(seed)
    for _ in range(sets):
        rows = _rows(setting, random)
        pairs = [_answers(setting, challenger, row, random) for row in rows]
        before, after = zip(*pairs, strict=True)
        yield measure_answers(rows, after, before, labels=setting.names, multilabel=setting.multilabel)


def approved_shares(measured: Sequence[Measured], margins: Sequence[float] = MARGINS) -> list[float]:
    """Return the share of test sets on which the gate would approve, for each margin. The floors are `auto`."""
    shares = []
    for margin in margins:
        outcomes = [reach_verdict(one, Thresholds(margin=margin)).outcome for one in measured]
        shares.append(outcomes.count("passed") / len(outcomes))
    return shares


def _rows(setting: Setting, random: Random) -> list[Row]:
    words = random.choices(_WORDS, _LENGTHS, k=setting.rows)
    families = random.choices(_FAMILIES, _SHARES, k=setting.rows)
    return [
        Row("w " * length, _truth(setting, place, random), family=family)
        for place, (length, family) in enumerate(zip(words, families, strict=True))
    ]


def _truth(setting: Setting, place: int, random: Random) -> int | tuple[int, ...]:
    if setting.multilabel:
        return tuple(label for label in range(setting.labels) if random.random() < _label_share(setting, label))
    return int(random.random() < setting.positives) if setting.labels == 2 else place % setting.labels


def _label_share(setting: Setting, label: int) -> float:
    return float(0.25 * 0.04 ** (label / (setting.labels - 1)))


def _answers(
    setting: Setting, challenger: Challenger, row: Row, random: Random
) -> tuple[frozenset[int], frozenset[int]]:
    """Draw both classifiers' labels of a row.

    Additional mistakes of a worse challenger come on top of the discordance of equal classifiers, which is the less
    favourable assumption. Two classifiers that are both wrong give the same wrong label.
    """
    before: set[int] = set()
    after: set[int] = set()
    for label in row.labels:
        wrong = set() if setting.multilabel else {(label + random.randrange(1, setting.labels)) % setting.labels}
        first, second = _rights(setting, challenger, label, random)
        before |= {label} if first else wrong
        after |= {label} if second else wrong
    if setting.multilabel:
        # As many labels are given in error as are missed: precision is recall.
        for label in set(range(setting.labels)) - row.labels:
            share = _label_share(setting, label)
            if random.random() < share / (1 - share):
                first, second = _rights(setting, EQUAL, label, random)
                before |= set() if first else {label}
                after |= set() if second else {label}
    return frozenset(before), frozenset(after)


def _rights(setting: Setting, challenger: Challenger, label: int, random: Random) -> tuple[bool, bool]:
    """Draw whether champion and challenger are right."""
    half, drop = setting.discordance / 2, challenger.drop
    chance = random.random()
    only_champion, only_challenger = half + drop, half
    both = setting.accuracy - only_champion
    first = chance < setting.accuracy
    second = chance < both or setting.accuracy <= chance < setting.accuracy + only_challenger
    if challenger.broken and label == setting.labels - 1:
        second = random.random() < _BROKEN_RECALL
    return first, second


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=200, help="test sets per cell (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the test sets (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.sets < 1 or arguments.seed < 0:
        parser.error("--sets must be at least 1, --seed at least 0")
    started = time.monotonic()
    print(
        f"Python {platform.python_version()}, {platform.machine()}; {arguments.sets} test sets per cell, "
        f"seed {arguments.seed}; floors `auto`"
    )
    margins = " | ".join(f"δ={margin}" for margin in MARGINS)
    print(f"\n| rows | labels | champion | discordant | challenger | share | {margins} |")
    print("|---" * (6 + len(MARGINS)) + "|")
    for setting in SETTINGS:
        kind = f"{setting.labels}{' (several a text)' if setting.multilabel else ''}"
        known = f"{setting.rows} | {kind} | {setting.accuracy} | {setting.discordance:.0%}"
        for challenger in (EQUAL, *WORSE, *([BROKEN] if setting.labels > 2 else [])):
            measured = list(simulate(setting, challenger, sets=arguments.sets, seed=arguments.seed))
            shares = [1 - share if challenger.equal else share for share in approved_shares(measured)]
            word = "refused" if challenger.equal else "approved"
            print(
                f"| {known} | {challenger.kind} | {word} | {' | '.join(f'{share:.1%}' for share in shares)} |",
                flush=True,
            )
    print(f"\n{time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
