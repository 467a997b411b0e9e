"""`training.isolated` from the deployment to an answer: base model from the bucket, packages without an index."""

from __future__ import annotations

from pathlib import Path

import pytest

from aws_console import Console
from local_project import BUNDLED_DATA, LocalProjects
from small_model import write_small_model

pytestmark = [pytest.mark.e2e, pytest.mark.nightly(part="releases")]
ISOLATED = "training.isolated=true training.base_model=channel:base_model"


def test_an_isolated_job_trains_what_then_serves(projects: LocalProjects, deployed: Path, tmp_path: Path) -> None:
    """As docs/training.md says: deploy, copy a base model into the data bucket, train. The local cloud cuts no network.

    The job's request names the network. Its log shows where pip looked, and no address of the web.
    """
    project = projects.new("isolated", copy_of=deployed, DATA=str(BUNDLED_DATA), CONTEXT=ISOLATED)
    project.make("deploy")
    bucket = project.outputs("storage")["DataBucket"]
    for file in write_small_model(tmp_path / "base").iterdir():
        project.client("s3").upload_file(str(file), bucket, f"base-model/{file.name}")
    project.make("train", f"DATA={BUNDLED_DATA}")
    assert project.post({"inputs": "The zoom is sharp up to 200 mm."}).status_code == 200

    console = Console(project)
    (summary,) = console.sagemaker.list_training_jobs()["TrainingJobSummaries"]
    name = summary["TrainingJobName"]
    job = console.sagemaker.describe_training_job(TrainingJobName=name)
    assert len(job["VpcConfig"]["Subnets"]) == 2 and job["HyperParameters"]["base_model"] == "channel:base_model"
    events = project.client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=name, filterPattern=""
    )["events"]
    log = "\n".join(event["message"] for event in events)
    assert "Looking in links: wheels" in log and "VpcConfig is ignored" in log
    assert "https://" not in log, log
