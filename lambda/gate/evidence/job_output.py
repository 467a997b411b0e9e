"""What a training job left for the gate in its `output.tar.gz`: above all the test set."""

from __future__ import annotations

import hashlib
import json
import tarfile
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from gate.evidence.json_lines import number_or_none, quote, read_objects
from shared.errors import EvidenceError
from shared.storage import MAX_BYTES, ObjectStore, StorageError

ROWS_FILE = "test_rows.jsonl"
EVALUATION_FILE = "evaluation.json"
LOSS_FILE = "loss.svg"

MAX_CHARACTERS = 20_000
"""Longest text that the serving code accepts; a model reads only its first tokens anyway."""


@dataclass(frozen=True)
class Row:
    """One row of the test set; `score` and `family` are None where the data has none."""

    text: str
    label: int
    score: float | None = None
    family: str | None = None


@dataclass(frozen=True)
class JobOutput:
    """The test set, and what else the report shows of the training job.

    Attributes:
        rows: in file order.
        labels: names of label 0 and label 1.
        loss_svg: the loss curve, if the job drew one.
        problem: why there are no rows.
    """

    rows: tuple[Row, ...] = ()
    labels: tuple[str, str] = ("0", "1")
    loss_svg: str | None = None
    problem: str | None = None


def read_job_output(store: ObjectStore, uri: str) -> JobOutput:
    """Read the archive at `uri`. Without it, or without test rows in it, `problem` is set.

    Raises:
        StorageError: the archive may not be read.
        EvidenceError: a file in it is not as the training job writes it.
    """
    try:
        files = archive_members(store, uri, (ROWS_FILE, EVALUATION_FILE, LOSS_FILE))
    except StorageError as error:
        if error.missing:
            return JobOutput(problem=f"the training job left no output at {uri}")
        raise
    loss_svg = files[LOSS_FILE].decode(errors="replace") if LOSS_FILE in files else None
    rows = tuple(parse_rows(files.get(ROWS_FILE, b""), f"{uri}: {ROWS_FILE}"))
    if not rows:
        return JobOutput(loss_svg=loss_svg, problem="the training job had no test data, so there is nothing to ask")
    return JobOutput(rows, parse_labels(files.get(EVALUATION_FILE, b""), f"{uri}: {EVALUATION_FILE}"), loss_svg)


def archive_members(store: ObjectStore, uri: str, names: Collection[str], limit: int = MAX_BYTES) -> dict[str, bytes]:
    """Return files of a `.tar.gz` by their name at its root, without those it lacks. Nothing is written to disk.

    Raises:
        StorageError: the archive is missing or may not be read.
        EvidenceError: it is no such archive, or a file in it is larger than `limit` bytes.
    """
    found: dict[str, bytes] = {}
    with store.opened(uri) as body:
        try:
            with tarfile.open(fileobj=body, mode="r|gz") as archive:
                for member in archive:
                    name = member.name.removeprefix("./")
                    if name not in names or not member.isfile():
                        continue
                    if member.size > limit:
                        raise EvidenceError(uri, f"{member.name} has {member.size} bytes; {limit} are allowed")
                    file = archive.extractfile(member)
                    found[name] = file.read() if file else b""
        except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
            raise EvidenceError(uri, f"cannot be unpacked ({error})") from error
    return found


def parse_rows(content: bytes, source: str) -> list[Row]:
    """Parse `test_rows.jsonl`; errors call the file `source`.

    Raises:
        EvidenceError: a line is not a test row.
    """
    return [_row(value, place) for place, value in read_objects(content, source)]


def parse_labels(evaluation: bytes, source: str) -> tuple[str, str]:
    """Return the names of label 0 and label 1 from `evaluation.json`; errors call the file `source`.

    Raises:
        EvidenceError: there are no two distinct names.
    """
    try:
        zero, one = json.loads(evaluation)["labels"]
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceError(source, "has no list labels of two names") from error
    if not (isinstance(zero, str) and isinstance(one, str)) or zero == one:
        raise EvidenceError(source, f"labels are {quote([zero, one])}; two different names are expected")
    return zero, one


def sentences_file(rows: Sequence[Row]) -> bytes:
    """Return the input of batch transform: one `{"inputs": "<text>"}` a line, in ASCII so that no text breaks a line.

    Each text is cut to `MAX_CHARACTERS`: a longer one would fail the whole job.
    """
    lines = (json.dumps({"inputs": row.text[:MAX_CHARACTERS]}) + "\n" for row in rows)
    return "".join(lines).encode("ascii")


def rows_sha256(rows: Sequence[Row]) -> str:
    """Return the digest of texts and labels in order, which tells one test set from another."""
    return hashlib.sha256(json.dumps([[row.text, row.label] for row in rows]).encode("ascii")).hexdigest()


def _row(value: dict[str, Any], place: str) -> Row:
    text, label, family = (value.get(name) for name in ("text", "label", "family"))
    if not isinstance(text, str):
        raise EvidenceError(place, "has no text")
    if isinstance(label, bool) or label not in (0, 1):
        raise EvidenceError(place, f"label is {quote(label)}; 0 or 1 is expected")
    if family is not None and not isinstance(family, str):
        raise EvidenceError(place, f"family is {quote(family)}; a string or null is expected")
    return Row(text, int(label), number_or_none(value, "score", place), family)
