"""What looks wrong with labelled data: counted, never quoted."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from classifier.data.rows import Example

FEW_ROWS = 10
IMBALANCE = 20
"""Largest label over smallest, from which on the difference is told."""

LONG_TEXT = 5_000
SHINGLE = 3
NEAR_SHARE = 0.8
"""Share of a text's word triples in one other text, from which on the two are nearly the same."""

MAX_NEAR = 200_000
"""Training rows up to which texts are compared for being nearly the same."""

_COMMON = 50  # a word triple of more texts tells nothing
_SHOWN = 8


@dataclass(frozen=True)
class Finding:
    """Something that a person should know: its kind, the rows concerned, and a sentence."""

    kind: str
    rows: int
    message: str


def normalised(text: str) -> str:
    """Return what texts have in common that differ in capitals and blanks only."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def look_over(
    splits: dict[str, list[Example]], ids: dict[str, list[tuple[int, ...]]], names: Sequence[str], *, scored: bool
) -> list[Finding]:
    """Return what looks wrong, as far as it is found in seconds.

    `ids` are the labels of each split's rows. `scored`: rows have scores, so that two of one text are no contradiction.
    """
    findings = [] if scored else _contradictions(splits)
    for other in ("validation", "test"):
        if other in splits:
            findings += _overlap(splits["train"], splits[other], other)
    if {"validation", "test"} <= splits.keys():
        findings += _overlap(splits["validation"], splits["test"], "test", "validation")
    findings += _sizes(ids["train"], names)
    return findings + _lengths(splits) + _scripts(splits)


def _contradictions(splits: dict[str, list[Example]]) -> list[Finding]:
    findings = []
    for split, rows in splits.items():
        labels: dict[str, set[tuple[str, ...]]] = {}
        for row in rows:
            labels.setdefault(normalised(row.text), set()).add(row.labels)
        several = sum(len(found) > 1 for found in labels.values())
        if several:
            message = f"{_texts(several)} of the {split} data {'has' if several == 1 else 'have'} two labels"
            findings.append(Finding("two_labels", several, message))
    return findings


def _overlap(train: list[Example], others: list[Example], split: str, of: str = "training") -> list[Finding]:
    known = {normalised(row.text) for row in train}
    new = [row for row in others if normalised(row.text) not in known]
    same = len(others) - len(new)
    findings = []
    if same:
        message = f"{same:,} of {len(others):,} {split} texts are in the {of} data"
        findings.append(Finding("overlap", same, message))
    near = _near(train, new) if len(train) <= MAX_NEAR else 0
    if near:
        message = f"{_texts(near, f'more {split} ')} {'is' if near == 1 else 'are'} nearly the same as a {of} text"
        findings.append(Finding("near_overlap", near, message))
    return findings


def _near(train: list[Example], others: list[Example]) -> int:
    """Count texts that share most of their word triples with one training text."""
    where: dict[str, list[int]] = {}
    for number, row in enumerate(train):
        for shingle in _shingles(row.text):
            where.setdefault(shingle, []).append(number)
    near = 0
    for row in others:
        shingles = _shingles(row.text)
        shared = Counter(
            n for shingle in shingles if len(where.get(shingle, ())) <= _COMMON for n in where.get(shingle, ())
        )
        near += len(shingles) >= SHINGLE and max(shared.values(), default=0) >= NEAR_SHARE * len(shingles)
    return near


def _shingles(text: str) -> set[str]:
    words = re.findall(r"\w+", normalised(text))
    return {" ".join(words[start : start + SHINGLE]) for start in range(len(words) - SHINGLE + 1)}


def _sizes(ids: list[tuple[int, ...]], names: Sequence[str]) -> list[Finding]:
    counts = Counter(dict.fromkeys(range(len(names)), 0))
    counts.update(label for row in ids for label in row)
    few = sorted((count, label) for label, count in counts.items() if count < FEW_ROWS)
    findings = []
    if few:
        shown = ", ".join(f"{names[label]} {count}" for count, label in few[:_SHOWN])
        more = f" and {len(few) - _SHOWN} more" if len(few) > _SHOWN else ""
        message = f"few training rows for {len(few)} of {len(names)} labels: {shown}{more} (add rows)"
        findings.append(Finding("few_rows", sum(count for count, _ in few), message))
    (most, large), (least, small) = max((c, -n) for n, c in counts.items()), min((c, n) for n, c in counts.items())
    if least and most >= IMBALANCE * least:
        message = f"{names[-large]} has {most:,} training rows, {names[small]} {least:,}"
        findings.append(Finding("imbalance", least, message))
    return findings


def _lengths(splits: dict[str, list[Example]]) -> list[Finding]:
    texts = [row.text for rows in splits.values() for row in rows]
    short, long = sum(len(text) < 3 for text in texts), sum(len(text) > LONG_TEXT for text in texts)
    findings = []
    if short:
        findings.append(Finding("short_texts", short, f"{_texts(short)} of one or two characters"))
    if long:
        message = f"{_texts(long)} of more than {LONG_TEXT:,} characters; the model reads the beginning"
        findings.append(Finding("long_texts", long, message))
    return findings


def _scripts(splits: dict[str, list[Example]]) -> list[Finding]:
    """Tell of texts in another script than Latin, which most base models of English cannot read."""
    count = total = 0
    for rows in splits.values():
        for row in rows:
            letters = [char for char in row.text[:500] if char.isalpha()]
            total += 1
            count += bool(letters) and sum(char > "\u024f" for char in letters) > 0.5 * len(letters)
    if count < max(1, 0.01 * total):
        return []
    message = f"{count:,} of {total:,} texts are not in Latin script; take a base model that was trained on it"
    return [Finding("scripts", count, message)]


def _texts(count: int, which: str = "") -> str:
    return f"{count:,} {which}text{'s' * (count != 1)}"
