"""Registry: each model becomes a package that says where it comes from; the verdict is a change of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from states_interpreter import Execution, TaskFailed, execute
from training_state_names import CHECK, DONE, INGEST, JUDGE, RECORD, REGISTER, REPORT, TRAIN
from workflow_samples import (
    CODE,
    CONTEXT,
    ELSEWHERE,
    FILES,
    IMAGE,
    MODEL_DATA,
    PACKAGE,
    PARTS,
    REQUEST,
    SHA256,
    TRAINED,
    VERDICT,
    all_is_well,
    answers,
)

from stacks.training.workflow.definition import training_definition


def run(**tasks: Callable[[Any], Any]) -> Execution:
    return execute(training_definition(PARTS), {}, all_is_well() | tasks, CONTEXT)


def metadata(**tasks: Callable[[Any], Any]) -> dict[str, str]:
    found: dict[str, str] = run(**tasks).arguments(REGISTER)["CustomerMetadataProperties"]
    return found


@pytest.mark.parametrize("status", ["Approved", "PendingManualApproval", "Rejected"])
def test_requests_are_valid(assert_valid: Callable[[str, str, Any], None], status: str) -> None:
    """The package's, the verdict's and the message's requests have the shapes of their services' APIs."""
    execution = run(**{JUDGE: answers(VERDICT | {"status": status})})
    assert_valid("sagemaker", "CreateModelPackage", execution.arguments(REGISTER))
    assert_valid("sagemaker", "UpdateModelPackage", execution.arguments(RECORD))
    assert_valid("sns", "Publish", execution.arguments(REPORT))


def test_package_waits_for_its_verdict() -> None:
    """A package is entered unapproved, whatever the verdict: only a change of its status releases."""
    made = run().arguments(REGISTER)
    assert made["ModelApprovalStatus"] == "PendingManualApproval"
    (container,) = made["InferenceSpecification"]["Containers"]
    assert (container["Image"], container["ModelDataUrl"]) == (IMAGE, MODEL_DATA)
    assert container["Environment"] == {**PARTS.container.environment, **FILES}
    assert made["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"] == VERDICT["statistics_uri"]
    assert made["DriftCheckBaselines"]["ModelDataQuality"]["Statistics"]["S3Uri"] == VERDICT["baseline_uri"]


@pytest.mark.parametrize("status", ["Approved", "PendingManualApproval", "Rejected"])
def test_verdict_is_recorded_as_given(status: str) -> None:
    """Status and reasons of the verdict go to the package, to the topic, and into the output."""
    execution = run(**{JUDGE: answers(VERDICT | {"status": status, "summary": f"because {status}"})})
    assert execution.arguments(RECORD) == {
        "ModelPackageArn": PACKAGE,
        "ModelApprovalStatus": status,
        "ApprovalDescription": f"because {status}",
    }
    message = execution.arguments(REPORT)
    assert message["Subject"] == f"text-classifier-dev: model version 7 is {status}"
    assert message["Message"].startswith(f"because {status}\n\nModel package: {PACKAGE}\n")
    assert execution.output["verdict"]["status"] == status


def test_subject_fits_into_a_message() -> None:
    """The longest name, version and status make a subject of at most 100 characters, as SNS demands."""
    assert len(f"{'n' * 32}: model version {10**9} is PendingManualApproval") <= 100


def test_package_says_where_it_comes_from() -> None:
    """Data, code, image, hyperparameters, metrics and verdict are recorded, in characters that the registry takes."""
    found = metadata()
    assert found == {
        "model_sha256": SHA256,
        "training_job": TRAINED["TrainingJobName"],
        "data_sha256": "f00d",
        "data_source": "https://example.com/a_b=_c_",
        "code_version": "0123abc",
        "code_uri": CODE,
        "training_image": "training:1",
        "git_revision": "beef",
        "hyperparameters": "base_model=some/model epochs=3",
        "test_accuracy": "0.869",
        "test_f1": "0.904",
        **VERDICT["metadata"],
    }
    assert all(re.fullmatch(r"[\w .:/=+@-]{1,256}", value) for value in found.values())


def test_long_values_are_cut() -> None:
    """The registry takes 256 characters; the rest of a long source is left out."""
    source = {"train_uri": "s3://d/", "test_uri": "s3://d/", "data_sha256": "f", "source": "s3://" + "x" * 300}
    assert len(metadata(**{INGEST: answers(source)})["data_source"]) == 256


def test_job_without_metrics_is_registered_too() -> None:
    """A job whose log held no metric still becomes a package and an output."""
    trained = {key: value for key, value in TRAINED.items() if key != "FinalMetricDataList"}
    execution = run(**{TRAIN: lambda _: trained})
    assert not [name for name in execution.arguments(REGISTER)["CustomerMetadataProperties"] if "test_" in name]
    assert execution.output["metrics"] == {}


@pytest.mark.parametrize(
    ("code", "version", "revision"),
    [
        ({"code_uri": CODE}, "0123abc", "beef"),
        ({"code_uri": "s3://mine/code.tar.gz"}, "s3://mine/code.tar.gz", None),
        ({"code_uri": None}, None, None),
        ({}, None, None),
    ],
)
def test_job_started_elsewhere_names_the_code_it_ran(
    code: dict[str, Any], version: str | None, revision: str | None
) -> None:
    """A job from the recipe ran this deployment's code; one with other code is not given its version."""
    job = {key: value for key, value in ELSEWHERE.items() if key != "code_uri"} | code
    found = metadata(**{CHECK: answers(REQUEST | {"mode": "judge", "training": job})})
    assert (found.get("code_version"), found.get("git_revision")) == (version, revision)
    assert (found.get("code_uri"), found["training_image"]) == (code.get("code_uri"), "training:2")
    assert found["data_source"] == ELSEWHERE["data_source"] and "data_sha256" not in found


def test_lost_message_fails_nothing() -> None:
    """Where the topic can't be told, the execution still ends with its output."""

    def lost(_: Any) -> Any:
        raise TaskFailed("SNS.AmazonSNSException", "denied")

    execution = run(**{REPORT: lost})
    assert execution.visited[-1] == DONE
    assert execution.output == run().output
