"""Judging a job that was started elsewhere."""

from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError

from launch.finished_job import TrainingJobUnreadableError, finished_job
from shared.errors import InvalidExecutionInputError

ROOT = "s3://artifacts/training"
PREFIX = "dev"


@pytest.fixture
def ask(sagemaker, finished):
    """Describes the finished job after some of its values have been changed."""

    def call(**changes):
        sagemaker.jobs["dev-elsewhere"] = {**finished, **changes}
        return finished_job("dev-elsewhere", PREFIX, ROOT, sagemaker)

    return call


def test_finished_job_looks_like_the_training_steps_result(ask):
    """Archives side by side, values without the SDK's quotes, no sagemaker_*, only metrics that JSON can hold."""
    assert ask() == {
        "job_name": "dev-elsewhere",
        "model_data": "s3://artifacts/training/elsewhere/output/model.tar.gz",
        "output_uri": "s3://artifacts/training/elsewhere/output/output.tar.gz",
        "hyperparameters": {"epochs": "5", "base_model": "distilbert-base-uncased"},
        "metrics": {"test_accuracy": 0.8125},
        "data_source": "s3://data/datasets/ab/train/",
        "code_uri": "s3://code/abc.tar.gz",
        "image": "training:1",
    }


def test_what_a_job_need_not_have(sagemaker, finished):
    """Jobs without hyperparameters, metrics and channels can be judged too."""
    bare = {key: finished[key] for key in ("TrainingJobStatus", "ModelArtifacts")}
    sagemaker.jobs["dev-bare"] = bare
    known = finished_job("dev-bare", PREFIX, ROOT, sagemaker)
    assert (known["hyperparameters"], known["metrics"], known["data_source"]) == ({}, {}, None)


@pytest.mark.parametrize("code", ["ValidationException", "ResourceNotFound"])
def test_job_that_does_not_exist(sagemaker, code):
    """An unknown name is the caller's mistake."""
    sagemaker.error = code
    with pytest.raises(InvalidExecutionInputError, match=r"training_job dev-nobody does not exist .* status Completed"):
        finished_job("dev-nobody", PREFIX, ROOT, sagemaker)


@pytest.mark.parametrize("name", ["prod-20260801", "developers", "dev"])
def test_job_of_another_environment(sagemaker, finished, name):
    """A name that is not the environment's is refused with what is allowed, and SageMaker is not asked."""
    sagemaker.jobs[name] = finished
    with pytest.raises(InvalidExecutionInputError, match=f"training_job {name} is no name of .* begins with dev-;"):
        finished_job(name, PREFIX, ROOT, sagemaker)
    assert sagemaker.asked == []


def test_refused_question_is_no_mistake_of_the_caller(sagemaker):
    """Missing rights name SageMaker's code."""
    sagemaker.error = "AccessDeniedException"
    with pytest.raises(TrainingJobUnreadableError) as caught:
        finished_job("dev-any", PREFIX, ROOT, sagemaker)
    assert "training job dev-any: SageMaker answered AccessDeniedException" in str(caught.value)


def test_unreachable_service(sagemaker):
    """No connection ends in the same error."""

    class Unreachable:
        def describe_training_job(self, **_):
            raise EndpointConnectionError(endpoint_url="https://x")

    with pytest.raises(TrainingJobUnreadableError, match="EndpointConnectionError"):
        finished_job("dev-any", PREFIX, ROOT, Unreachable())


@pytest.mark.parametrize("status", ["InProgress", "Stopping", "Stopped", "Failed"])
def test_unfinished_job(ask, status):
    """Only a completed job can be judged; the message says what it is instead."""
    with pytest.raises(InvalidExecutionInputError, match=f"has the status {status} \\(AlgorithmError: x+…\\)"):
        ask(TrainingJobStatus=status, FailureReason="AlgorithmError: " + "x" * 1000)


@pytest.mark.parametrize(
    "artifact",
    [
        "s3://elsewhere/training/elsewhere/output/model.tar.gz",
        "s3://artifacts/training-of-others/job/output/model.tar.gz",
        "s3://artifacts/training/job/output/model/",
        "",
    ],
)
def test_artifact_that_the_endpoint_could_not_read(ask, artifact):
    """The model has to be an archive below the folder that the serving role reads, and the message names it."""
    with pytest.raises(InvalidExecutionInputError, match=r"below s3://artifacts/training/, because the"):
        ask(ModelArtifacts={"S3ModelArtifacts": artifact} if artifact else {})
