"""Test rows, the sentences sent to a model, and the answers that came back. Pure parsing; errors name the line."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from gate.errors import EvidenceInvalid

MAX_CHARACTERS = 20_000
"""Of a text that the serving code takes; a model reads no more than its first tokens anyway."""

_SHOWN = 80  # characters of a wrong value that a message quotes


@dataclass(frozen=True)
class Row:
    """One row of the test set; ``score`` and ``family`` are None where the data has none."""

    text: str
    label: int
    score: float | None = None
    family: str | None = None


@dataclass(frozen=True)
class Answer:
    """What a model said about one sentence: label 0 or 1, the probability of label 1, and its score if it has one."""

    label: int
    probability: float
    score: float | None


def parse_rows(content: bytes, source: str) -> list[Row]:
    """The rows of ``test_rows.jsonl``.

    Args:
        content: of the file.
        source: what an error calls it.

    Raises:
        EvidenceInvalid: naming the line.
    """
    return [_row(value, source, line) for line, value in enumerate(_objects(content, source), 1)]


def sentences_file(rows: Sequence[Row]) -> bytes:
    """What batch transform sends: one ``{"inputs": "<text>"}`` a line, in ASCII, so that no text breaks a line.

    A text is cut to ``MAX_CHARACTERS``: one that is too long would fail the whole job.
    """
    lines = (json.dumps({"inputs": row.text[:MAX_CHARACTERS]}) + "\n" for row in rows)
    return "".join(lines).encode("ascii")


def rows_sha256(rows: Sequence[Row]) -> str:
    """What tells one test set from another: digest of the texts and labels, in order."""
    return sha256(json.dumps([[row.text, row.label] for row in rows]).encode("ascii"))


def sha256(content: bytes) -> str:
    """Hexadecimal digest."""
    return hashlib.sha256(content).hexdigest()


def count_lines(content: bytes) -> int:
    """Lines of a file, whether or not the last one is ended."""
    return content.count(b"\n") + (not content.endswith(b"\n") and bool(content))


def parse_labels(evaluation: bytes, source: str) -> tuple[str, str]:
    """The names of label 0 and label 1 from ``evaluation.json``.

    Raises:
        EvidenceInvalid: there are no two distinct names.
    """
    try:
        labels = json.loads(evaluation)["labels"]
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceInvalid(source, "has no list labels") from error
    if not (isinstance(labels, list) and len(labels) == 2 and all(isinstance(name, str) for name in labels)):
        raise EvidenceInvalid(source, f"labels is {_shown(labels)}; two names are expected")
    if labels[0] == labels[1]:
        raise EvidenceInvalid(source, f"both labels are called {_shown(labels[0])}")
    return labels[0], labels[1]


def parse_answers(content: bytes, *, labels: tuple[str, str], rows: int, source: str) -> list[Answer]:
    """The answers in a ``.out`` file of batch transform.

    Args:
        content: of the file.
        labels: names of label 0 and label 1.
        rows: how many sentences were asked.
        source: what an error calls the file.

    Raises:
        EvidenceInvalid: naming the line; or another number of lines than sentences.
    """
    lines = count_lines(content)
    if lines != rows:
        raise EvidenceInvalid(source, f"has {lines} answers to {rows} sentences")
    return [_answer(value, labels, source, line) for line, value in enumerate(_objects(content, source), 1)]


def _objects(content: bytes, source: str) -> list[dict[str, Any]]:
    """Each line of a file as an object."""
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    values = []
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise EvidenceInvalid(source, f"is not JSON: {_shown(line)}", line=number) from error
        if not isinstance(value, dict):
            raise EvidenceInvalid(source, f"is not a JSON object: {_shown(value)}", line=number)
        values.append(value)
    return values


def _row(value: dict[str, Any], source: str, line: int) -> Row:
    text, label, score, family = (value.get(name) for name in ("text", "label", "score", "family"))
    if not isinstance(text, str):
        raise EvidenceInvalid(source, "has no text", line=line)
    if isinstance(label, bool) or label not in (0, 1):
        raise EvidenceInvalid(source, f"label is {_shown(label)}; 0 or 1 is expected", line=line)
    if score is not None and not _is_number(score):
        raise EvidenceInvalid(source, f"score is {_shown(score)}; a number or null is expected", line=line)
    if family is not None and not isinstance(family, str):
        raise EvidenceInvalid(source, f"family is {_shown(family)}; a string or null is expected", line=line)
    return Row(text, int(label), score, family)


def _answer(value: dict[str, Any], labels: tuple[str, str], source: str, line: int) -> Answer:
    predictions = value.get("predictions")
    if not isinstance(predictions, list):
        raise EvidenceInvalid(source, f"has no predictions: {_shown(value)}", line=line)
    if len(predictions) != 1 or not isinstance(predictions[0], dict):
        raise EvidenceInvalid(source, f"has {len(predictions)} predictions; one is expected", line=line)
    prediction = predictions[0]
    if "label" not in prediction:
        raise EvidenceInvalid(source, f"has no label: {_shown(prediction)}", line=line)
    name, confidence, score = (prediction.get(key) for key in ("label", "confidence", "score"))
    if name not in labels:
        raise EvidenceInvalid(source, f"label is {_shown(name)}; the data has {' and '.join(labels)}", line=line)
    if not (_is_number(confidence) and 0 <= confidence <= 1):
        raise EvidenceInvalid(source, f"confidence is {_shown(confidence)}; 0 to 1 is expected", line=line)
    if score is not None and not _is_number(score):
        raise EvidenceInvalid(source, f"score is {_shown(score)}; a number or null is expected", line=line)
    label = labels.index(name)
    return Answer(label, confidence if label else 1 - confidence, score)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        text = value.decode(errors="replace")
    else:
        text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
