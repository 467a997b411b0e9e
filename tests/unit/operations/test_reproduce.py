"""`make reproduce`: the job that it starts, the figures that it compares, and what it refuses to start."""

from __future__ import annotations

import argparse
import copy
import gzip
import hashlib
import io
import json
import tarfile
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from launch.finished_job import finished_job
from operations.aws.deployment import Deployment
from operations.errors import OperationError
from operations.verbs.model import reproduce
from shared.errors import InvalidExecutionInputError

ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package/text-classifier-dev/3"
ARCHIVE, CODE = "s3://artifacts/models/cafe/model.tar.gz", "s3://assets/beef.tar.gz"
TRAIN, TEST = "s3://data/datasets/1/train/", "s3://data/datasets/1/test/"
PACKED = gzip.compress(b"the code")
INTERVAL = {"value": 0.869, "low": 0.853, "high": 0.883}
EVALUATION: dict[str, Any] = {
    "test": {"accuracy": INTERVAL, "f1": {"value": 0.904, "low": 0.89, "high": 0.915}, "pearson": 0.872, "rows": 2000},
    "validation": {"accuracy": {"value": 0.88, "low": 0.82, "high": 0.92}},
    "data_sha256": "f00d",
    "versions": {"torch": "2.9.0"},
    "precision": "bf16",
    "processes": 1,
    "origin": {"processor": "Xeon", "threads": 2, "gpus": []},
}
JOB = {
    "TrainingJobName": "text-classifier-dev-20260101-120000-abcdef",
    "TrainingJobArn": "arn:aws:sagemaker:us-east-1:000000000000:training-job/it",
    "TrainingJobStatus": "Completed",
    "AlgorithmSpecification": {"TrainingImage": "training:1", "TrainingInputMode": "File", "MetricDefinitions": []},
    "RoleArn": "arn:aws:iam::000000000000:role/training",
    "HyperParameters": {"epochs": "2", "hub_repo_id": "me/it", "sagemaker_submit_directory": CODE},
    "InputDataConfig": [
        {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}
        for name, uri in (("train", TRAIN), ("test", TEST))
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://artifacts/training"},
    "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50},
    "StoppingCondition": {"MaxRuntimeInSeconds": 7200, "MaxWaitTimeInSeconds": 14400},
    "EnableManagedSpotTraining": True,
    "CheckpointConfig": {"S3Uri": "s3://artifacts/training/it/checkpoints"},
    "Environment": {"HF_HUB_OFFLINE": "1"},
}


def archive(evaluation: dict[str, Any], weights: bytes) -> bytes:
    """A model.tar.gz with these two files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as out:
        for name, content in (("./evaluation.json", json.dumps(evaluation).encode()), ("./model.safetensors", weights)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            out.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


class Recorded(Deployment):
    """A deployment with one package and what made it; a new job makes what `again` and `new_weights` say."""

    outputs: dict[str, str] = {"ModelPackageGroup": "text-classifier-dev"}
    again: dict[str, Any] = EVALUATION
    new_weights = b"weights"
    version = hashlib.sha256(b"the code").hexdigest()
    exceptions = SimpleNamespace(NoSuchKey=KeyError)

    def client(self, service: str) -> Any:
        return self

    def get_paginator(self, operation: str) -> Any:
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        return [{"ModelPackageSummaryList": [{"ModelPackageArn": ARN}], "events": []}]

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:
        return {
            "ModelPackageArn": ARN,
            "ModelPackageVersion": 3,
            "ModelApprovalStatus": "Approved",
            "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
            "CustomerMetadataProperties": {"training_job": JOB["TrainingJobName"], "code_version": self.version},
            "InferenceSpecification": {"Containers": [{"Image": "image", "ModelDataUrl": ARCHIVE}]},
        }

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:
        if TrainingJobName.startswith("reproduce-"):
            uri = f"s3://artifacts/training/{TrainingJobName}/output/model.tar.gz"
            self.objects[uri] = archive(self.again, self.new_weights)
            return {"TrainingJobStatus": "Completed", "ModelArtifacts": {"S3ModelArtifacts": uri}}
        if self.__dict__.get("forgotten"):
            missing = {"Code": "ValidationException", "Message": "Requested resource not found."}
            raise ClientError({"Error": missing}, "DescribeTrainingJob")
        return JOB

    def list_tags(self, ResourceArn: str) -> dict[str, Any]:
        return {"Tags": [{"Key": "project", "Value": "text-classifier"}, {"Key": "aws:x", "Value": "y"}]}

    def create_training_job(self, **request: Any) -> None:
        self.__dict__["request"] = request

    @property
    def objects(self) -> dict[str, bytes]:
        start = {ARCHIVE: archive(EVALUATION, b"weights"), CODE: PACKED, f"{TRAIN}a": b"", f"{TEST}a": b""}
        found: dict[str, bytes] = self.__dict__.setdefault("stored", start)
        return found

    def list_objects_v2(self, Bucket: str, Prefix: str, MaxKeys: int) -> dict[str, Any]:
        return {"Contents": [{}]} if any(uri.startswith(f"s3://{Bucket}/{Prefix}") for uri in self.objects) else {}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.objects[f"s3://{Bucket}/{Key}"])}


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")
    made = Recorded("dev", session, None)
    monkeypatch.setattr(reproduce, "connect", lambda env: made)
    return made


def run(package: str = "3") -> Any:
    return reproduce.reproduce(argparse.Namespace(env="dev", package=package))


def changed(**changes: Any) -> dict[str, Any]:
    """The evaluation with other members; a dot leads into one."""
    made = copy.deepcopy(EVALUATION)
    for path, value in changes.items():
        *way, last = path.split("__")
        place = made
        for step in way:
            place = place[step]
        place[last] = value
    return made


def test_the_job_is_the_packages_own_under_another_name(deployment: Recorded) -> None:
    """Code, data, image, instance and settings are the record's; it is not published, and takes no spot capacity."""
    run()
    request = deployment.__dict__["request"]
    for member in ("AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig"):
        assert request[member] == JOB[member]
    assert request["HyperParameters"] == {"epochs": "2", "sagemaker_submit_directory": CODE}
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 7200}
    assert request["Environment"] == {"HF_HUB_OFFLINE": "1"} and request["Tags"] == [
        {"Key": "project", "Value": "text-classifier"}
    ]
    assert not {"CheckpointConfig", "EnableManagedSpotTraining"} & request.keys()
    asked = boto3.client("sagemaker", region_name="us-east-1").meta.service_model.operation_model("CreateTrainingJob")
    report = ParamValidator().validate(request, asked.input_shape)
    assert not report.has_errors(), report.generate_report()


def test_the_new_job_cannot_become_a_release(deployment: Recorded) -> None:
    """Its name has at most 63 characters, and the training workflow refuses to judge it."""
    run()
    name = deployment.__dict__["request"]["TrainingJobName"]
    assert name.startswith("reproduce-text-classifier-dev-3-") and len(name) <= 63
    with pytest.raises(InvalidExecutionInputError, match="no name of this environment's jobs"):
        finished_job(name, "text-classifier-dev", "s3://artifacts/training", None)


def test_equal_figures_agree(deployment: Recorded) -> None:
    """On the same kind of machine they are equal: the end is 0, and the weights are said to be equal."""
    answer = run()
    assert (answer.exit_code, answer.document["agrees"], answer.document["weights_equal"]) == (0, True, True)
    assert [row["figure"] for row in answer.document["figures"]] == [
        "test accuracy",
        "test f1",
        "validation accuracy",
    ]
    assert "has to be equal" in answer.text and "The weights are equal" in answer.text
    assert answer.document["artifact"] in answer.text


@pytest.mark.parametrize(
    ("again", "agrees", "said"),
    [
        (changed(test__accuracy=INTERVAL | {"value": 0.8695}), False, "DISAGREES"),
        (changed(test__accuracy=INTERVAL | {"value": 0.86}, origin__processor="EPYC"), True, "processor"),
        (changed(test__accuracy=INTERVAL | {"value": 0.84}, origin__processor="EPYC"), False, "DISAGREES"),
        (changed(test__accuracy=INTERVAL | {"value": 0.86}, versions={"torch": "2.13.0"}), True, "versions"),
        (changed(data_sha256="cafe"), False, "other data"),
    ],
)
def test_what_agrees_depends_on_the_machine(
    deployment: Recorded, again: dict[str, Any], agrees: bool, said: str
) -> None:
    """Equal on the same kind, inside the record's interval on another; other data never agrees."""
    deployment.__dict__["again"], deployment.__dict__["new_weights"] = again, b"others"
    answer = run()
    assert (answer.exit_code, answer.document["agrees"]) == (0 if agrees else 1, agrees)
    assert said in answer.text and "not equal, byte for byte" in answer.text


def test_a_gpu_is_not_asked_for_equal_figures() -> None:
    """Two runs on the same GPU differ in the last digits."""
    one = changed(origin__gpus=["T4"])
    other = changed(origin__gpus=["T4"], test__accuracy=INTERVAL | {"value": 0.87})
    assert reproduce.compared(one, other)["agrees"] and reproduce.compared(one, other)["differs"] == ["gpus"]


def test_a_record_of_an_earlier_version_is_compared_by_its_interval() -> None:
    """It does not say on which machine it was made."""
    earlier = {name: value for name, value in EVALUATION.items() if name != "origin"}
    found = reproduce.compared(earlier, changed(test__accuracy=INTERVAL | {"value": 0.86}))
    assert found["agrees"] and "processor" in found["differs"]


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        (CODE, f"the code ({CODE})"),
        (f"{TRAIN}a", f"the data of channel train ({TRAIN})"),
        (ARCHIVE, f"the archive ({ARCHIVE})"),
    ],
)
def test_what_is_gone_is_said_before_anything_starts(deployment: Recorded, lost: str, said: str) -> None:
    """All of it at once, with the next step."""
    del deployment.objects[lost]
    with pytest.raises(OperationError, match="cannot be trained again") as caught:
        run()
    assert said in caught.value.message and "make train" in caught.value.hint
    assert "request" not in deployment.__dict__


def test_other_code_at_the_same_place_is_refused(deployment: Recorded) -> None:
    """The package records the digest of the code's content."""
    deployment.objects[CODE] = gzip.compress(b"other code")
    with pytest.raises(OperationError, match="another digest"):
        run()
    assert "request" not in deployment.__dict__


def test_a_training_job_that_was_deleted_is_said(deployment: Recorded) -> None:
    """The next step is a new model; the rest of what is gone is named too."""
    deployment.__dict__["forgotten"] = True
    del deployment.objects[ARCHIVE]
    with pytest.raises(OperationError, match="its training job") as caught:
        run()
    assert ARCHIVE in caught.value.message
