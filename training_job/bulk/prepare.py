"""The step before the transform job: a plan of the run, and the shards that have no answers yet."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from bulk.rows import InputFile, answer_file, input_files, read_state
from serving.request import MAX_TEXTS
from tables import TableError

_MAX_CHARACTERS = 500_000
"""Of the texts that the model is sent at once, so that they stay below SageMaker's 6 MB in any script."""
_DECIDE = ("input", "package", "column", "prefix", "shard_rows")
"""What of a request a run keeps to."""


def prepare(base: Path) -> dict[str, Any]:
    """Write plan and shards; return counts and the estimate. Raises TableError: the run began with another input."""
    request, files = read_state(base, "request.json"), list[dict[str, Any]]()
    shards, to_score = list[int](), 0
    for name in ("plan", "todo"):
        (base / "output" / name).mkdir(parents=True, exist_ok=True)
    texts = (text for file in input_files(base, request) for text in _texts(file, files))
    while shard := list(islice(texts, request["shard_rows"])):
        records = [json.dumps({"inputs": record}, ensure_ascii=False) + "\n" for record in _records(shard)]
        answered = answer_file(base, len(shards))
        # Batch transform stores all answers to an object at once, or none.
        if not answered.is_file() or answered.read_bytes().count(b"\n") != len(records):
            to_score += len(shard)
            todo = base / "output" / "todo" / answered.stem
            todo.write_text("".join(records), encoding="utf-8")
        shards.append(len(shard))
    if not files:
        raise TableError(f"There is no file below {request['input']}.", hint="Check the prefix; a folder ends in /.")
    plan = {"request": {name: request[name] for name in _DECIDE}, "files": files, "shards": shards}
    _refuse_another(read_state(base, "plan.json") or plan, plan)
    (base / "output" / "plan" / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    hours, price = to_score / request["rows_per_second"] / 3600, request.get("price_per_hour")
    return {
        **{count: sum(file[count] for file in files) for count in ("read", "errors")},
        "answered_before": sum(shards) - to_score,
        "to_score": to_score,
        "instance_hours": round(hours, 4),
        "hours": round(hours / request["instances"], 4),
        "cost": None if price is None else round(hours * price, 4),
    }


def _texts(file: InputFile, files: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the texts of a file that can be scored, and add the file with its counts to `files`."""
    files.append(file.counts)
    return (row.text for row in file if not row.problem)


def _records(texts: list[str]) -> Iterator[list[str]]:
    """Yield the texts in groups that the model takes in one request."""
    record, size = list[str](), 0
    for text in texts:
        if record and (len(record) == MAX_TEXTS or size + len(text) > _MAX_CHARACTERS):
            yield record
            record, size = [], 0
        record.append(text)
        size += len(text)
    yield record


def _refuse_another(earlier: Mapping[str, Any], plan: Mapping[str, Any]) -> None:
    old, new = ({**one["request"], **{file["file"]: file for file in one["files"]}} for one in (earlier, plan))
    if earlier != plan:
        changed = ", ".join(name for name in {**old, **new} if old.get(name) != new.get(name))
        raise TableError(
            f"This run began with another input. Changed: {changed or 'how rows are read'}.",
            hint='Restore it to resume the run, or give another "output" to begin a new one.',
        )
