"""Bulk scoring: files of three formats, a run that is stopped in the middle and resumed, counts that add up."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from aws_console import Console
from local_project import LocalProject
from waiting import until

pytestmark = pytest.mark.e2e
ROWS = 150
"""Of each file."""
SHARD_ROWS = 4
LOGS = (
    "/aws/sagemaker/ProcessingJobs",
    "/aws/sagemaker/TransformJobs",
    "/aws/vendedlogs/states/text-classifier-local-bulk",
)
PRIVATE = "zanzibar"
"""A word of every text, which no log may hold."""


def text(name: str, number: int) -> str:
    """A text of its own."""
    return f"Review {number} of {name}: it works, {PRIVATE}, and my grandson is {'glad' if number % 2 else 'sad'}."


class Bulk:
    """The bulk workflow of a running project, and its files."""

    def __init__(self, project: LocalProject) -> None:
        self.console, self.s3 = Console(project), project.client("s3")
        storage = project.outputs("storage")
        self.data, self.artifacts = storage["DataBucket"], storage["ArtifactsBucket"]

    def put(self, key: str, body: bytes) -> None:
        """Upload a file of the input."""
        self.s3.put_object(Bucket=self.data, Key=f"bulk/{key}", Body=body)

    def start(self, folder: str, **more: Any) -> str:
        """*Start execution* on a folder of the data bucket; the execution's ARN."""
        wanted = {"input": f"s3://{self.data}/bulk/{folder}/", "output": folder, "shard_rows": SHARD_ROWS}
        return self.console.start(wanted | more, "bulk")

    def done(self, folder: str, **more: Any) -> dict[str, Any]:
        """The output of an execution that has to succeed."""
        ended = self.console.wait(self.start(folder, **more), 120)
        assert ended["status"] == "SUCCEEDED", ended.get("cause")
        return dict(json.loads(ended["output"]))

    def objects(self, folder: str, place: str) -> dict[str, tuple[Any, Any]]:
        """Name → time and ETag of what a run has below a place."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.artifacts, Prefix=f"bulk/{folder}/v")
        found = [item for page in pages for item in page.get("Contents", []) if f"/{place}/" in item["Key"]]
        return {item["Key"].partition(f"/{place}/")[2]: (item["LastModified"], item["ETag"]) for item in found}

    def result(self, output: dict[str, Any], name: str) -> bytes:
        """A file of the results."""
        key = output["result"].removeprefix(f"s3://{self.artifacts}/") + name
        return bytes(self.s3.get_object(Bucket=self.artifacts, Key=key)["Body"].read())


@pytest.fixture(scope="module")
def bulk(project: LocalProject) -> Bulk:
    """The workflow, with a table, JSON Lines and Parquet below `bulk/three/`; three rows cannot be scored."""
    made = Bulk(project)
    table = "".join(f'{number};"{text("a", number)}"\n' for number in range(ROWS))
    made.put("three/a.csv", f"id;text\n{table}x;\ny;{'long ' * 5000}\n".encode())
    rows = [json.dumps({"text": text("b", number), "n": number}) for number in range(ROWS)]
    made.put("three/more/b.jsonl", "\n".join([*rows, "nonsense"]).encode())
    frame = pd.DataFrame({"text": [text("c", number) for number in range(ROWS)], "day": pd.Timestamp("2026-11-27")})
    made.put("three/c.parquet", frame.to_parquet())
    return made


def stopped_in_the_middle(bulk: Bulk, execution: str) -> dict[str, Any]:
    """Stop the scoring once some shards have their answers; the execution's description."""
    until(lambda: bulk.objects("three", "state/answers"), pause=0.05)
    (job,) = bulk.console.sagemaker.list_transform_jobs(StatusEquals="InProgress")["TransformJobSummaries"]
    bulk.console.sagemaker.stop_transform_job(TransformJobName=job["TransformJobName"])
    return bulk.console.wait(execution, 60)


class Resumed(NamedTuple):
    """A run that was stopped, and resumed: its failed execution, the answers before, the output after."""

    failed: dict[str, Any]
    before: dict[str, Any]
    output: dict[str, Any]


@pytest.fixture(scope="module")
def resumed(bulk: Bulk) -> Resumed:
    """The run of `bulk/three/`, stopped in the middle and resumed over two instances."""
    failed = stopped_in_the_middle(bulk, bulk.start("three"))
    before = bulk.objects("three", "state/answers")
    return Resumed(failed, before, bulk.done("three", instances=2, price_per_hour=3.6, rows_per_second=1))


def test_a_run_that_was_stopped_is_resumed(bulk: Bulk, resumed: Resumed) -> None:
    """The same input scores what has no answer yet; the answers from before stay, byte for byte."""
    failed, before, output = resumed
    assert failed["status"] == "FAILED"
    assert "start the same input again, which resumes the run" in failed["cause"]
    assert 0 < len(before) * SHARD_ROWS == output["answered_before"] < 3 * ROWS
    assert output["to_score"] == 3 * ROWS - output["answered_before"]
    after = bulk.objects("three", "state/answers")
    assert {name: after[name] for name in before} == before
    assert len(after) == -(-3 * ROWS // SHARD_ROWS)


def test_estimate_comes_before_the_scoring(bulk: Bulk, resumed: Resumed) -> None:
    """Two instances at one row a second and 3.6 an hour; a dry run states it, and scores nothing."""
    output = resumed.output
    assert output["instance_hours"] == pytest.approx(output["to_score"] / 3600, abs=1e-4)
    assert output["hours"] == pytest.approx(output["to_score"] / 7200, abs=1e-4)
    assert output["cost"] == pytest.approx(output["to_score"] / 1000, abs=1e-4)
    bulk.put("dry/a.csv", b"text\nIt works.\n")
    assert bulk.done("dry", dry_run=True)["to_score"] == 1
    assert not bulk.objects("dry", "state/answers")


def test_manifest_adds_up(bulk: Bulk, resumed: Resumed) -> None:
    """In all and for each file, what was read is what was scored and what was not; the output says the same."""
    output = resumed.output
    manifest = json.loads(bulk.result(output, "manifest.json"))
    counts = {"read": 3 * ROWS + 3, "scored": 3 * ROWS, "errors": 3}
    assert {name: manifest[name] for name in counts} == {name: output[name] for name in counts} == counts
    assert [(file["file"], file["scored"], file["errors"]) for file in manifest["files"]] == [
        ("a.csv", ROWS, 2),
        ("c.parquet", ROWS, 0),
        ("more/b.jsonl", ROWS, 1),
    ]
    errors = [json.loads(line) for line in bulk.result(output, "errors.jsonl").splitlines()]
    assert [(error["file"], error["line"]) for error in errors] == [
        ("a.csv", ROWS + 2),
        ("a.csv", ROWS + 3),
        ("more/b.jsonl", ROWS + 1),
    ]


def test_every_row_has_the_answer_of_the_api(bulk: Bulk, project: LocalProject, resumed: Resumed) -> None:
    """In each of the three formats, at its beginning, at its end, and where the run was stopped."""
    output = resumed.output
    tables = {
        "a": pd.DataFrame(csv.DictReader(io.StringIO(bulk.result(output, "a.csv").decode()), delimiter=";")),
        "b": pd.read_json(io.BytesIO(bulk.result(output, "more/b.jsonl")), lines=True),
        "c": pd.read_parquet(io.BytesIO(bulk.result(output, "c.parquet"))),
    }
    middle = min(len(resumed.before) * SHARD_ROWS, ROWS - 1)
    for name, table in tables.items():
        assert table["text"].tolist() == [text(name, number) for number in range(ROWS)]
        for number in (0, middle, ROWS - 1):
            (asked,) = project.post({"inputs": text(name, number)}).json()["predictions"]
            row = table.iloc[number]
            assert row["label"] == asked["label"]
            assert float(row["confidence"]) == pytest.approx(asked["confidence"], abs=0.02)  # int8, in another batch
    assert str(tables["c"]["day"].dtype).startswith("datetime64")


def test_changed_input_is_refused(bulk: Bulk, resumed: Resumed) -> None:
    """The cause names the file, and what to do; the run's results stay."""
    bulk.put("three/a.csv", b"text\nAnother one.\n")
    ended = bulk.console.wait(bulk.start("three"), 60)
    assert ended["status"] == "FAILED"
    assert "This run began with another input. Changed: a.csv." in ended["cause"]
    assert bulk.result(resumed.output, "manifest.json")


def test_nothing_is_left_and_no_log_holds_a_text(bulk: Bulk, project: LocalProject, resumed: Resumed) -> None:
    """No model of a run remains; the logs of jobs and workflow hold no word of the texts."""
    assert bulk.console.sagemaker.list_models(NameContains="-bulk-")["Models"] == []
    logs = project.client("logs")
    for group in LOGS:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        lines = [event["message"] for page in pages for event in page["events"]]
        assert not [line for line in lines if PRIVATE in line], group
    kept = "".join(path.read_text(errors="replace") for path in Path(project.folder).rglob("*jobs/*bulk*.log"))
    assert kept and PRIVATE not in kept
