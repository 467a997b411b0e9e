"""Hold rows out of the training rows, for testing or validation."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from networkx.utils import UnionFind

from classifier.data.columns import MIN_GROUPS
from classifier.data.findings import normalised
from classifier.data.rows import Example

MISSING_SHARE = 0.2
"""Share of the labels that drawing whole groups may leave without a row on the held-out side."""


@dataclass(frozen=True)
class HoldOut:
    """Two disjoint lists in the order of the rows, and whether whole groups or single rows were drawn."""

    kept: list[Example]
    held: list[Example]
    drawn: Literal["groups", "rows"]


def hold_out(
    rows: Sequence[Example], labels: Sequence[tuple[int, ...]], fraction: float, *, seed: int, keep: int = 1
) -> HoldOut:
    """Hold out about `fraction` of the rows of each label, the rarest label first.

    Texts of one group resemble each other, so whole groups are drawn where they are known. Otherwise, or when that
    would leave a side without a label that it could have, rows are drawn. Texts that differ in capitals and blanks only
    stay together. The same rows and seed always give the same result.

    `labels` are the ids of each row; `fraction` is between 0 and 1, both excluded; `keep` rows of each label stay.
    """
    texts = [normalised(row.text) for row in rows]
    # A row of no known group is one by itself.
    groups = [row.group or f"\0{number}" for number, row in enumerate(rows)]
    drawn: Literal["groups", "rows"] = "rows"
    held: set[int] = set()
    if len({row.group for row in rows} - {""}) >= MIN_GROUPS:
        held = _draw(_joined(texts, groups), labels, fraction, keep, seed)
        drawn = "groups"
    if not held or not _complete(held, labels, keep):
        held = _draw(_joined(texts), labels, fraction, keep, seed)
        drawn = "rows"
    kept = [row for number, row in enumerate(rows) if number not in held]
    return HoldOut(kept, [row for number, row in enumerate(rows) if number in held], drawn)


def _joined(*keys: Sequence[str]) -> list[list[int]]:
    """Join rows that have a key in common; return the rows of each unit."""
    joined: UnionFind[tuple[int, str]] = UnionFind()
    for values in zip(*keys, strict=True):
        joined.union(*enumerate(values))
    units: dict[tuple[int, str], list[int]] = {}
    for number, key in enumerate(keys[0]):
        units.setdefault(joined[0, key], []).append(number)
    return list(units.values())


def _draw(units: list[list[int]], labels: Sequence[tuple[int, ...]], fraction: float, keep: int, seed: int) -> set[int]:
    """Draw units until each label has its share, the rarest label first; take none that empties a label."""
    totals = Counter(label for row in labels for label in row)
    held: Counter[int] = Counter()
    drawn: set[int] = set()
    order = np.random.default_rng(seed).permutation(len(units))
    none = -1  # a row without a label is a label of its own here
    contents = [Counter(label for row in unit for label in labels[row] or (none,)) for unit in units]
    totals[none] = sum(not row for row in labels)
    wanted = {label: max(round(fraction * total), 1) for label, total in totals.items()}
    by_label: dict[int, list[int]] = {}
    for number in order:
        for label in contents[number]:
            by_label.setdefault(label, []).append(int(number))

    def misses(label: int, more: int) -> float:
        return abs(held[label] + more - wanted[label]) / totals[label]

    def take(number: int) -> None:
        """Hold a unit out, unless a label has too few rows or all in all the labels get further from their shares."""
        content = contents[number].items()
        enough = all(totals[label] - held[label] - rows >= keep for label, rows in content)
        nearer = sum(misses(label, rows) - misses(label, 0) for label, rows in content) <= 0
        if enough and nearer and units[number][0] not in drawn:
            drawn.update(units[number])
            held.update(contents[number])

    for label in sorted(by_label, key=lambda label: (totals[label], label)):
        for number in by_label[label]:
            if held[label] >= wanted[label]:
                break
            take(number)
    return drawn


def _complete(held: set[int], labels: Sequence[tuple[int, ...]], keep: int) -> bool:
    """Return whether the labels that have rows enough for both sides are on both: all of two, most of many."""
    totals = Counter(label for row in labels for label in row)
    drawn = Counter(label for row in held for label in labels[row])
    able = [label for label, count in totals.items() if count > keep]
    missing = sum(not drawn[label] for label in able)
    return missing <= MISSING_SHARE * len(able)
