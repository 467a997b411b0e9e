"""A fake AWS for the drift check: one champion with a baseline, and metrics by minute."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from distribution.features import FEATURES
from drift.settings import Settings

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
PACKAGE = "arn:aws:sagemaker:us-east-1:111122223333:model-package/text-classifier-dev/7"
BASELINE_URI = "s3://artifacts/training/job/evaluation/abc/baseline.json"
SETTINGS = Settings(
    serving_stack="text-classifier-dev-serving",
    namespace="text-classifier-dev",
    service="drift",
    predict_service="predict",
    sample=500,
    window_hours=24,
)

Values = dict[tuple[str, str | None], dict[datetime, float]]


class FakeCloudWatch:
    """Metrics of the predict function under version 7, in pages of a few results.

    Attributes:
        values: (metric, label or None) → minute → value.
        queries: what was asked for.
    """

    def __init__(self) -> None:
        self.values: Values = {}
        self.queries: list[dict[str, Any]] = []
        self.failure: Exception | None = None

    def get_paginator(self, operation: str) -> FakeCloudWatch:
        assert operation == "get_metric_data"
        return self

    def paginate(
        self, *, MetricDataQueries: list[dict[str, Any]], StartTime: datetime, EndTime: datetime
    ) -> Iterator[dict[str, Any]]:
        if self.failure:
            raise self.failure
        self.queries = MetricDataQueries
        results = []
        for query in MetricDataQueries:
            metric = query["MetricStat"]["Metric"]
            dimensions = {entry["Name"]: entry["Value"] for entry in metric["Dimensions"]}
            found = {}
            if (dimensions["service"], dimensions["model_version"]) == ("predict", "7"):
                found = self.values.get((metric["MetricName"], dimensions.get("label")), {})
            inside = {moment: value for moment, value in found.items() if StartTime <= moment < EndTime}
            results.append({"Id": query["Id"], "Timestamps": list(inside), "Values": list(inside.values())})
        for start in range(0, len(results), 5):
            yield {"MetricDataResults": results[start : start + 5]}

    def predicted(self, minutes_ago: int, labels: dict[str, int], *, confidence: list[int], length: list[int]) -> None:
        """Record what the predict function writes in one minute."""
        moment = NOW - timedelta(minutes=minutes_ago)
        for label, count in labels.items():
            self.values.setdefault(("Predictions", label), {})[moment] = count
        for feature, counts in zip(FEATURES, (confidence, length), strict=True):
            for metric, count in zip(feature.metrics, counts, strict=True):
                self.values.setdefault((metric, None), {})[moment] = count


class World:
    """The clients of the check; the champion is version 7 until a test says otherwise."""

    def __init__(self) -> None:
        self.package_arn = PACKAGE
        self.package: dict[str, Any] = {
            "InferenceSpecification": {"Containers": [{"Image": "i", "ModelDataUrl": "s3://artifacts/model.tar.gz"}]},
            "DriftCheckBaselines": {"ModelDataQuality": {"Statistics": {"S3Uri": BASELINE_URI}}},
        }
        self.baseline: bytes = json.dumps(
            {
                "version": 1,
                "rows": 1000,
                "label": {"bad": 300, "good": 700},
                "confidence": [50, 50, 100, 200, 200, 400],
                "length": [0, 200, 250, 270, 230, 50],
            }
        ).encode()
        self.cloudwatch = FakeCloudWatch()

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        assert StackName == SETTINGS.serving_stack
        parameters = [{"ParameterKey": "ModelPackageArn", "ParameterValue": self.package_arn}]
        return {"Stacks": [{"StackStatus": "UPDATE_COMPLETE", "Parameters": parameters}]}

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:
        assert ModelPackageName == self.package_arn
        return self.package

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        assert f"s3://{Bucket}/{Key}" == BASELINE_URI
        return {"Body": io.BytesIO(self.baseline)}

    def check(self) -> Any:
        """Run the check now."""
        from drift.check import check

        return check(SETTINGS, cloudformation=self, sagemaker=self, s3=self, cloudwatch=self.cloudwatch, now=NOW)


@pytest.fixture
def world() -> World:
    return World()
