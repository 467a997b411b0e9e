"""The step after the transform job: rows with their answers, rows that have none, and a manifest that adds up."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from bulk.outputs import write
from bulk.rows import ADDED, InputFile, Row, answer_file, input_files, read_state
from tables import TableError


def join(base: Path) -> dict[str, int]:
    """Write outputs, errors and manifest; return the counts. Raises TableError: an answer is missing, or left over."""
    request, plan = read_state(base, "request.json"), read_state(base, "plan.json")
    answers = _answers(base, plan, request)
    result, found = base / "output" / "result", list[dict[str, Any]]()
    result.mkdir(parents=True, exist_ok=True)
    with (result / "errors.jsonl").open("w", encoding="utf-8") as errors:
        for file in input_files(base, request):
            output = write(file, result, _scored(file, answers, errors))
            found.append({**file.counts, "scored": file.counts["read"] - file.counts["errors"], "output": output})
    total = {count: sum(entry[count] for entry in found) for count in ("read", "scored", "errors")}
    _require(next(answers, None) is None, "there are more answers than rows")
    planned = [{name: entry[name] for name in plan["files"][0]} for entry in found]
    _require(planned == plan["files"], "the input changed while it was scored")
    about = {name: request[name] for name in ("input", "package", "execution")}
    manifest = json.dumps({**about, **total, "files": found}, indent=2, ensure_ascii=False)
    (result / "manifest.json").write_text(f"{manifest}\n", encoding="utf-8")
    return total


def _scored(file: InputFile, answers: Iterator[dict[str, Any]], errors: TextIO) -> Iterator[tuple[Row, dict[str, Any]]]:
    """Yield the rows that have an answer, with it; write down the others."""
    for row in file:
        if row.problem:
            errors.write(json.dumps({"file": file.name, "line": row.line, "error": row.problem}) + "\n")
            continue
        answer = next(answers, {})
        _require(bool(answer), "there are fewer answers than rows")
        yield row, answer


def _answers(base: Path, plan: Mapping[str, Any], request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what an answer adds to its row, in the order of the rows."""
    version, prefix = request["package"].rpartition("/")[2], request["prefix"]
    for number, rows in enumerate(plan["shards"]):
        path = answer_file(base, number)
        _require(path.is_file(), f"the answers of shard {number} are missing")
        predictions = [one for line in path.read_bytes().splitlines() for one in json.loads(line)["predictions"]]
        _require(len(predictions) == rows, f"shard {number} has {len(predictions)} answers to {rows} texts")
        for prediction in predictions:
            known = {**prediction, "model_version": version}
            yield {f"{prefix}{name}": known[name] for name in ADDED if name in known}


def _require(right: bool, problem: str) -> None:
    if not right:
        hint = "Start the same run again: what has its answer is not scored again."
        raise TableError(f"Rows and answers do not match: {problem}.", hint=hint)
