"""What a training job left for the gate in its `output.tar.gz`: above all the test set."""

import hashlib
import json
import tarfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gate.evidence.json_lines import read_objects
from shared.answers import is_number
from shared.errors import EvidenceError
from shared.storage import MAX_BYTES, ObjectStore, StorageError
from shared.words import kind, shown

ROWS_FILE = "test_rows.jsonl"
EVALUATION_FILE = "evaluation.json"
LOSS_FILE = "loss.svg"

RAISED_BY_TARFILE = (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, TypeError, OverflowError)
MAX_ANNOUNCED = 16 * 1024**3  # bytes that an archive may be said to unpack to
MAX_CHARACTERS = 20_000
"""Longest text that the serving code accepts; a model reads only its first tokens anyway."""


@dataclass(frozen=True)
class Row:
    """One row of the test set, with the id of its label, or of all its labels where a text may have several."""

    text: str
    label: int | tuple[int, ...]
    score: float | None = None
    family: str | None = None

    @property
    def labels(self) -> frozenset[int]:
        """The true labels."""
        return frozenset(self.label if isinstance(self.label, tuple) else (self.label,))


@dataclass(frozen=True)
class Baseline:
    """Figures of a simple model of words on the same test rows, which the training job measured."""

    name: str
    accuracy: float
    f1: float


@dataclass(frozen=True)
class JobOutput:
    """The test set, and what else the report shows of the training job.

    `labels` are names by their ids. `problem` says why there are no rows. A score from `score_threshold` on means label
    1. Of several labels, each is given from its own probability in `label_thresholds` on.
    """

    rows: tuple[Row, ...] = ()
    labels: tuple[str, ...] = ("0", "1")
    loss_svg: str | None = None
    problem: str | None = None
    objective: str = "classification"
    baseline: Baseline | None = None
    score_threshold: float | None = None
    label_thresholds: tuple[float, ...] = ()

    @property
    def multilabel(self) -> bool:
        """Whether a text has any number of labels."""
        return self.objective == "multilabel"


def read_job_output(store: ObjectStore, uri: str) -> JobOutput:
    """Read the archive at `uri`. Without it, or without test rows in it, `problem` is set.

    Raises StorageError: the archive may not be read. Raises EvidenceError: a file in it is wrong.
    """
    try:
        files = archive_members(store, uri, (ROWS_FILE, EVALUATION_FILE, LOSS_FILE))
    except StorageError as error:
        if error.missing:
            return JobOutput(problem=f"the training job left no output at {uri}")
        raise
    loss_svg = files[LOSS_FILE].decode(errors="replace") if LOSS_FILE in files else None
    known = parse_evaluation(files.get(EVALUATION_FILE, b""), f"{uri}: {EVALUATION_FILE}")
    source = f"{uri}: {ROWS_FILE}"
    rows = tuple(parse_rows(files.get(ROWS_FILE, b""), source, len(known.labels), multilabel=known.multilabel))
    if not rows:
        problem = "the training job had no test data, so there is nothing to ask"
        return replace(known, loss_svg=loss_svg, problem=problem)
    return replace(known, rows=rows, loss_svg=loss_svg)


def archive_members(store: ObjectStore, uri: str, names: Collection[str], limit: int = MAX_BYTES) -> dict[str, bytes]:
    """Return files of a `.tar.gz` by their name at its root, without those it lacks. Nothing is written to disk.

    Raises StorageError: the archive is missing or may not be read. Raises EvidenceError: it is no such archive, or a
    file in it is larger than `limit` bytes.
    """
    found: dict[str, bytes] = {}
    with store.opened(uri) as body:
        try:
            with tarfile.open(fileobj=body, mode="r|gz") as archive:
                for member in members_of(archive):
                    name = member.name.removeprefix("./")
                    if name not in names or not member.isfile() or not (file := archive.extractfile(member)):
                        continue
                    if member.size > limit:
                        raise EvidenceError(uri, f"{member.name} has {member.size} bytes; {limit} are allowed")
                    found[name] = file.read()
        except RAISED_BY_TARFILE as error:
            raise EvidenceError(uri, f"cannot be unpacked ({error})") from error
    return found


def members_of(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield the members; raise TarError before one that would keep tarfile busy for ever on the way to its end."""
    for member in archive:
        if archive.offset > MAX_ANNOUNCED:  # a sparse member's own size is another
            raise tarfile.ReadError(f"more than {MAX_ANNOUNCED} bytes")
        yield member


def parse_rows(content: bytes, source: str, labels: int = 2, *, multilabel: bool = False) -> list[Row]:
    """Parse `test_rows.jsonl`, which errors call `source`. Raises EvidenceError: a line is not a test row."""
    return [_row(value, place, labels, multilabel) for place, value in read_objects(content, source)]


def parse_evaluation(content: bytes, source: str) -> JobOutput:
    """Return what `evaluation.json` says of the model: labels, objective, thresholds, baseline; but no rows.

    Raises EvidenceError: there are no distinct names of labels. Errors call the file `source`.
    """
    try:
        found = json.loads(content)
        names = list.copy(found["labels"])  # TypeError for anything but a list
        "".join(names).encode()
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise EvidenceError(source, "has no list labels of names") from error
    objective = str(found.get("objective", "classification"))
    least = 1 if objective == "multilabel" else 2
    if len(set(names)) < max(least, len(names)):
        raise EvidenceError(source, f"has {len(names)} labels; at least {least}, none of them twice, are expected")
    earlier = found.get("hyperparameters")  # where jobs of earlier versions wrote it
    threshold = found.get("score_threshold", earlier.get("score_threshold") if isinstance(earlier, dict) else None)
    thresholds = found.get("label_thresholds")
    return JobOutput(
        labels=tuple(names),
        objective=objective,
        baseline=_baseline(found),
        score_threshold=threshold if objective == "regression" and is_number(threshold) else None,
        label_thresholds=tuple(filter(is_number, thresholds if isinstance(thresholds, list) else ())),
    )


def sentences_file(rows: Sequence[Row]) -> bytes:
    """Return the input of batch transform: one `{"inputs": "<text>"}` a line, in ASCII so that no text breaks a line.

    Each text is cut to `MAX_CHARACTERS`: a longer one would fail the whole job.
    """
    lines = (json.dumps({"inputs": row.text[:MAX_CHARACTERS]}) + "\n" for row in rows)
    return "".join(lines).encode("ascii")


def rows_sha256(rows: Sequence[Row]) -> str:
    """Return the digest of texts and labels in order, which tells one test set from another."""
    return hashlib.sha256(json.dumps([[row.text, row.label] for row in rows]).encode("ascii")).hexdigest()


def _baseline(evaluation: dict[str, Any]) -> Baseline | None:
    """Return the baseline's figures on the test rows; None where there are none."""
    found = evaluation.get("baseline")
    figures = found.get("test") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(figures, dict):
        return None
    if not all(is_number(figures.get(name)) and 0 <= figures[name] <= 1 for name in ("accuracy", "f1")):
        return None
    return Baseline(str(found.get("name", "baseline")), figures["accuracy"], figures["f1"])


def _row(value: dict[str, Any], place: str, labels: int, multilabel: bool) -> Row:
    text, family, score = (value.get(name) for name in ("text", "family", "score"))
    if not isinstance(text, str):
        raise EvidenceError(place, "has no text")
    if family is not None and not isinstance(family, str):
        raise EvidenceError(place, f"family is {kind(family)}; a string or null is expected")
    if score is not None and not is_number(score):
        raise EvidenceError(place, f"score is {kind(score)}; a finite number or null is expected")
    name = "labels" if multilabel else "label"
    given = value.get(name)
    ids = given if multilabel else [given]
    if not isinstance(ids, list) or any(isinstance(one, bool) or one not in range(labels) for one in ids):
        last = f"{'0 or' if labels == 2 else '0 to'} {labels - 1}"
        wanted = f"a list of {last}" if multilabel else last
        found = kind(given) if isinstance(given, str) else shown(given)  # a string may be the text
        raise EvidenceError(place, f"{name} is {found}; {wanted} is expected")
    label = tuple(map(int, ids)) if multilabel else int(ids[0])
    return Row(text, label, score, family)
