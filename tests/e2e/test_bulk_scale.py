"""Bulk scoring of 200,000 sentences over one and two instances: sentences a second, and how it scales."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from aws_console import Console
from local_project import BUNDLED_DATA, LocalProject
from run_groups import group_of

pytestmark = [pytest.mark.e2e, pytest.mark.nightly(part="client")]
ROWS = int(os.environ.get("BULK_ROWS", "200000"))
LEAST = 1.5
"""Of the scaling, on a machine that does other things, too; an idle one is to reach 1.9."""


@pytest.fixture(scope="module")
def sentences(real_data: Any) -> list[str]:
    """As many different sentences: those of the training data, again and again, with a number."""
    found = [
        json.loads(line)["sentence"]
        for line in ((real_data or BUNDLED_DATA) / "train.json").read_text(encoding="utf-8").splitlines()
    ]
    return [f"{found[number % len(found)]} ({number})" for number in range(ROWS)]


def rate(project: LocalProject, instances: int) -> float:
    """Score the sentences in Parquet; sentences a second between the start and the end of the transform job."""
    console, bucket = Console(project), project.outputs("storage")["DataBucket"]
    wanted = {"input": f"s3://{bucket}/bulk/scale/", "output": f"over-{instances}", "instances": instances}
    ended = console.wait(console.start(wanted, "bulk"), 3600)
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    counts = json.loads(ended["output"])
    assert (counts["read"], counts["scored"], counts["errors"]) == (ROWS, ROWS, 0)
    (job, *_) = console.sagemaker.list_transform_jobs(NameContains="-bulk-")["TransformJobSummaries"]
    described = console.sagemaker.describe_transform_job(TransformJobName=job["TransformJobName"])
    seconds = (described["TransformEndTime"] - described["TransformStartTime"]).total_seconds()
    return ROWS / seconds


def test_two_instances_score_nearly_twice_as_fast(
    request: pytest.FixtureRequest,
    bring_up: Callable[[str, str], LocalProject],
    sentences: list[str],
    tell: Callable[[str], None],
) -> None:
    """Each sentence is scored exactly once, by the default base model, on one core an instance."""
    project = bring_up("default", group_of(request.path))
    body = pd.DataFrame({"text": sentences}).to_parquet()
    project.client("s3").put_object(
        Bucket=project.outputs("storage")["DataBucket"], Key="bulk/scale/a.parquet", Body=body
    )
    rates = {count: rate(project, count) for count in (1, 2)}
    words = sum(len(sentence.split()) for sentence in sentences) / ROWS
    machine = f"{os.cpu_count()} cores of {platform.processor() or platform.machine()}"
    tell(f"{ROWS} sentences of {words:.1f} words on {machine}, load {os.getloadavg()[1]:.1f}")
    tell(f"{rates[1]:.0f}/s on one instance, {rates[2]:.0f}/s on two, {rates[2] / rates[1]:.2f} times")
    assert rates[2] / rates[1] >= LEAST
