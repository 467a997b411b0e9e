"""What a training job left behind for the gate, in its ``output.tar.gz``."""

from __future__ import annotations

from dataclasses import dataclass

from gate.errors import StorageError
from gate.evidence import Row, parse_labels, parse_rows
from gate.store import ObjectStore

ROWS_FILE = "test_rows.jsonl"
EVALUATION_FILE = "evaluation.json"
LOSS_FILE = "loss.svg"


@dataclass(frozen=True)
class JobOutput:
    """The test set and what else the report shows.

    Attributes:
        rows: of the test set, in file order.
        labels: names of label 0 and label 1.
        loss_svg: the loss curve, if the job drew one.
        problem: why there are no rows.
    """

    rows: tuple[Row, ...] = ()
    labels: tuple[str, str] = ("0", "1")
    loss_svg: str | None = None
    problem: str | None = None


def read_job_output(store: ObjectStore, uri: str) -> JobOutput:
    """Reads the archive at ``uri``. Without it, or without test rows in it, ``problem`` is set.

    Raises:
        StorageError: the archive may not be read.
        EvidenceInvalid: something in it is not as the training job writes it.
    """
    try:
        files = store.members(uri, (ROWS_FILE, EVALUATION_FILE, LOSS_FILE))
    except StorageError as error:
        if error.missing:
            return JobOutput(problem=f"the training job left no output at {uri}")
        raise
    loss_svg = files[LOSS_FILE].decode(errors="replace") if LOSS_FILE in files else None
    rows = tuple(parse_rows(files.get(ROWS_FILE, b""), f"{uri}: {ROWS_FILE}"))
    if not rows:
        return JobOutput(loss_svg=loss_svg, problem="the training job had no test data, so there is nothing to ask")
    labels = parse_labels(files.get(EVALUATION_FILE, b""), f"{uri}: {EVALUATION_FILE}")
    return JobOutput(rows, labels, loss_svg)
