"""What serves is what was judged, byte for byte, whatever a job or a person with too many rights writes."""

from __future__ import annotations

import hashlib
import json

import pytest

from aws_console import SENTENCES, Console
from forger import FORGES_EVIDENCE

pytestmark = pytest.mark.e2e
HOSTILE = "raises on the first request"


def test_a_job_cannot_write_over_what_was_judged(console: Console) -> None:
    """A training job, with its own role, writes over the released archive: S3 refuses, and the same bytes serve."""
    champion, answers = console.champion, console.answers(SENTENCES)
    archive = console.archive(champion)
    judged = hashlib.sha256(console.read(archive)).hexdigest()
    job = console.forge("forged-overwrite", HOSTILE, over=archive)
    assert hashlib.sha256(console.read(archive)).hexdigest() == judged
    assert f"/models/{judged}/model.tar.gz" in archive
    logs = console.project.client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=job
    )
    assert "AccessDenied" in json.dumps([event["message"] for event in logs["events"]])
    # The workflow made the package, so its own job's address may hold what it will: nobody reads it any more.
    assert console.wait(console.start({"model_package_arn": champion}, "release"))["status"] == "SUCCEEDED"
    assert console.answers(SENTENCES) == answers


def test_a_replaced_archive_is_not_released(console: Console) -> None:
    """Somebody with every right replaces the archive of an approved package: it is rejected, and no caller notices."""
    former = console.champion
    output = console.run({"training_job": console.forge("to-be-replaced", "none"), "approval": "manual"})
    package = output["model_package_arn"]
    archive = console.archive(package)
    console.overwrite(archive, console.read(archive) + b"x")
    with console.asked_steadily(SENTENCES) as stream:
        release = console.release_by_hand(package)
        stream.wait_for_more()
    assert release["status"] == "FAILED" and "is not the archive that was judged" in release["cause"], release
    assert "Update endpoint" not in console.states(release["executionArn"])
    assert console.package(package)["ModelApprovalStatus"] == "Rejected"
    assert console.champion == former and set(stream.statuses) == {200} and len(stream.versions) == 1


def test_a_model_under_judgement_cannot_forge_evidence(console: Console) -> None:
    """Its code writes over the champion's answers while it gives evidence: no network, no keys, nothing is written."""
    evidence = console.package(console.champion)["CustomerMetadataProperties"]["evidence"]
    answered = console.read(evidence)
    job = console.forge("forger-of-evidence", FORGES_EVIDENCE, over=evidence)
    output = console.run({"training_job": job, "approval": "never"})
    groups = {"logGroupName": "/aws/sagemaker/TransformJobs", "filterPattern": "forge"}
    told = [event["message"] for event in console.project.client("logs").filter_log_events(**groups)["events"]]
    print(f"the model under judgement said: {told}")
    assert any("could not forge" in line for line in told) and "forged" not in told
    assert console.read(evidence) == answered
    noted = console.package(output["model_package_arn"])["CustomerMetadataProperties"]
    assert hashlib.sha256(console.read(noted["evidence"])).hexdigest() == noted["evidence_sha256"]
    assert noted["evidence_version"]
