"""predict.registry: what the registry says of a model, and what of it is told."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from predict.errors import DeploymentError, RegistryUnavailableError
from predict.models import as_json
from predict.registry import KEPT_SECONDS, ModelRegistry, card

PACKAGE = {
    "ModelPackageArn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/g/3",
    "CreationTime": datetime(2026, 11, 24, 21, 18, 18, tzinfo=timezone(timedelta(hours=1))),
    "InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://private-bucket/model.tar.gz"}]},
    "CustomerMetadataProperties": {
        "accuracy": "0.8680",
        "accuracy_low": "0.8470",
        "accuracy_high": "0.8880",
        "f1": "0.9030",
        "f1_low": "0.8860",
        "f1_high": "0.9180",
        "test_rows": "1000",
        "training_job": "job-1",
        "data_sha256": "abc",
        "data_source": "https://example.com/reviews",
        "code_version": "c0de",
        "hyperparameters": "base_model=distilbert epochs=3",
        "report": "s3://private-bucket/report.html",
    },
}


STATISTICS = {
    "objective": "classification",
    "labels": [
        {"label": "ham", "test_rows": 483, "precision": 0.99, "recall": 1.0, "f1": 0.995},
        {"label": "spam", "test_rows": 0, "precision": None, "recall": None, "f1": None},
    ],
    "score_threshold": None,
}
WITH_STATISTICS = {**PACKAGE, "ModelMetrics": {"ModelQuality": {"Statistics": {"S3Uri": "s3://b/verdict.json"}}}}


class FakeClient:
    """Plays the clients of `sagemaker` and of S3, where the verdict lies."""

    def __init__(self, answer: Any = PACKAGE, verdict: Any = None) -> None:
        self.answer = answer
        self.verdict = verdict
        self.asked: list[str] = []

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        self.asked.append(f"s3://{Bucket}/{Key}")
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return {"Body": io.BytesIO(self.verdict)}

    def describe_model_package(self, **parameters: Any) -> dict[str, Any]:
        self.asked.append(parameters["ModelPackageName"])
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def registry(client: FakeClient, clock: Callable[[], float] = lambda: 0.0) -> ModelRegistry:
    return ModelRegistry("arn:g", lambda _: client, clock)


def test_a_package_becomes_a_card() -> None:
    """Figures with their intervals, when in UTC, on what, and by which job."""
    assert as_json(card("3", PACKAGE, {})) == {
        "version": "3",
        "source": "registry",
        "registered_at": "2026-11-24T20:18:18Z",
        "training_job": "job-1",
        "base_model": "distilbert",
        "code_version": "c0de",
        "data": {"sha256": "abc", "source": "https://example.com/reviews"},
        "metrics": {
            "accuracy": {"value": 0.868, "low": 0.847, "high": 0.888},
            "f1": {"value": 0.903, "low": 0.886, "high": 0.918},
            "test_rows": 1000,
        },
    }


def test_the_classes_are_those_of_the_verdict() -> None:
    """Objective, classes with test rows and figures, in the model's order; read once for a while."""
    client = FakeClient(WITH_STATISTICS, json.dumps({"gate": {}, "model": STATISTICS}).encode())
    known = registry(client)
    known.describe("3")
    told = as_json(known.describe("3"))
    assert (told["objective"], told["labels"]) == ("classification", STATISTICS["labels"])
    assert "score_threshold" not in told
    assert client.asked == ["arn:g/3", "s3://b/verdict.json"]


def test_a_score_has_its_threshold() -> None:
    """A figure may be an interval, too."""
    figure = {"value": 0.9, "low": 0.8, "high": 1.0}
    label = {"label": "a", "test_rows": 1, "precision": figure, "recall": 0.5, "f1": 0.5}
    told = card("3", PACKAGE, {"objective": "regression", "labels": [label], "score_threshold": 1})
    assert told.score_threshold == 1 and told.labels is not None and told.labels[0].precision == 0.9


@pytest.mark.parametrize(
    "verdict",
    [
        b"{}",
        b"[]",
        b"<html>",
        b'{"model": null}',
        b'{"model": {"objective": "classification", "labels": [{"label": "a"}]}}',
        ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject"),
        ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject"),
        EndpointConnectionError(endpoint_url="u"),
    ],
)
def test_without_the_classes_the_card_says_the_rest(verdict: Any) -> None:
    """A package of an earlier release or made by hand, or a file that cannot be read, is no failure."""
    told = as_json(registry(FakeClient(WITH_STATISTICS, verdict)).describe("3"))
    assert told["metrics"]["test_rows"] == 1000 and not {"objective", "labels", "score_threshold"} & told.keys()


def test_buckets_and_accounts_stay_inside() -> None:
    """Nothing of where the model lies is told, nor the data's address if that is a bucket."""
    package = {**PACKAGE, "CustomerMetadataProperties": {"data_source": "s3://private-bucket/source"}}
    told = str(as_json(card("3", PACKAGE, {}))) + str(as_json(card("3", package, {})))
    assert "private-bucket" not in told and "123456789012" not in told


def test_a_package_made_by_hand_has_no_figures() -> None:
    """Without the gate's metadata the card says so instead of failing."""
    made = card("3", {"CreationTime": PACKAGE["CreationTime"]}, {})
    assert (made.metrics, made.training_job, made.registered_at) == (None, None, "2026-11-24T20:18:18Z")


def test_a_version_is_asked_for_once_in_a_while() -> None:
    """The same version is described from memory, until it may have changed."""
    client, now = FakeClient(), [0.0]
    known = registry(client, lambda: now[0])
    known.describe("3")
    known.describe("3")
    now[0] = KEPT_SECONDS + 1
    known.describe("3")
    assert client.asked == ["arn:g/3", "arn:g/3"]


@pytest.mark.parametrize(("version", "source"), [("distilbert/base@1f", "hub"), (None, "unknown")])
def test_a_model_that_is_not_of_the_registry_is_not_asked_for(version: str | None, source: str) -> None:
    """A public model, or one that does not name itself, has a card without figures."""
    client = FakeClient()
    made = registry(client).describe(version)
    assert (made.version, made.source, made.metrics, client.asked) == (version, source, None, [])


def error(code: str, message: str = "", status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "DescribeModelPackage")


def test_a_deleted_package_is_no_failure() -> None:
    """The model serves on when its entry is gone."""
    client = FakeClient(error("ValidationException", "ModelPackage arn:g/3 does not exist."))
    assert registry(client).describe("3").source == "unknown"


@pytest.mark.parametrize(
    "cause",
    [error("ThrottlingException"), error("InternalFailure", status=500), EndpointConnectionError(endpoint_url="u")],
)
def test_a_registry_that_does_not_answer_may_answer_later(cause: Exception) -> None:
    """What may pass is told apart from what will not."""
    with pytest.raises(RegistryUnavailableError):
        registry(FakeClient(cause)).describe("3")


def test_a_missing_permission_is_for_the_operator() -> None:
    """The caller is told nothing of roles."""
    with pytest.raises(DeploymentError):
        registry(FakeClient(error("AccessDeniedException", "role r may not", 403))).describe("3")
