"""Reads the details of the serving model from the SageMaker model registry, and its classes from S3."""

import functools
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from predict.errors import DeploymentError, RegistryUnavailableError
from predict.models import Estimate, LabelCard, Metrics, ModelCard, TrainingData
from shared.storage import ObjectStore, StorageError

MAX_STATISTICS_BYTES = 4 * 1024**2
"""Of the file with the gate's verdict: a thousand classes take 0.2 MB."""
_FIGURES = ("precision", "recall", "f1")
KEPT_SECONDS = 300.0
"""Time for which a description is cached. The package of a serving model rarely changes."""


class ModelRegistry:
    """Describes versions of one model package group, and caches the last description."""

    def __init__(
        self,
        packages_arn: str | None,
        client_factory: Callable[[str], Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`packages_arn` is the ARN of a package without its version, or None for no registry.

        `client_factory` creates a boto3 client from the name of its service, when it is first needed.
        """
        self._packages_arn = packages_arn
        self._client = functools.cache(client_factory)
        self._clock = clock
        self._kept: dict[str, tuple[float, ModelCard]] = {}

    def describe(self, version: str | None) -> ModelCard:
        """Return the card of a version, bare for a model that is not from the registry; raise PredictError."""
        if version is None or self._packages_arn is None or not version.isdecimal():
            return bare_card(version)
        kept = self._kept.get(version)
        if kept is None or self._clock() - kept[0] > KEPT_SECONDS:
            package = self._ask(f"{self._packages_arn}/{version}")
            known = bare_card(version) if package is None else card(version, package, self._statistics(package))
            kept = (self._clock(), known)
            self._kept = {version: kept}  # of the serving model only
        return kept[1]

    def _ask(self, arn: str) -> dict[str, Any] | None:
        """Return the package's description, or None if it is no longer in the registry."""
        try:
            found: dict[str, Any] = self._client("sagemaker").describe_model_package(ModelPackageName=arn)
            return found
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ValidationException" and "does not exist" in error.response["Error"]["Message"]:
                return None
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if status >= 500 or status == 429 or code.startswith("Throttling"):
                raise RegistryUnavailableError from error
            raise DeploymentError(str(error)) from error
        except BotoCoreError as error:
            raise RegistryUnavailableError from error

    def _statistics(self, package: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the gate wrote of the model; nothing where the file is not the gate's or cannot be read.

        The rest of a card is worth having without it.
        """
        uri = package.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {}).get("S3Uri", "")
        try:
            document = json.loads(ObjectStore(self._client("s3")).read(uri, MAX_STATISTICS_BYTES)) if uri else {}
        except (StorageError, ValueError):
            return {}
        model = document.get("model") if isinstance(document, dict) else None
        return model if isinstance(model, dict) else {}


def make_registry_client(service: str) -> Any:
    """Return a boto3 client. It is created on first use, because SageMaker's service description is large."""
    config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})
    return boto3.client(service, config=config)


def bare_card(version: str | None) -> ModelCard:
    """Return the card of a model that is in no registry."""
    source: Literal["unknown", "hub"] = "unknown" if version is None or version.isdecimal() else "hub"
    return ModelCard(version, source, None, None, None, None, None, None)


def card(version: str, package: Mapping[str, Any], statistics: Mapping[str, Any]) -> ModelCard:
    """Return the public part of a package's description: no bucket, account, image or verdict.

    `statistics` is the key `model` of the package's statistics file.
    """
    known: Mapping[str, str] = package.get("CustomerMetadataProperties") or {}
    created = package.get("CreationTime")
    return ModelCard(
        version=version,
        source="registry",
        registered_at=_utc(created) if isinstance(created, datetime) else None,
        training_job=known.get("training_job"),
        base_model=_hyperparameters(known).get("base_model"),
        code_version=known.get("code_version"),
        data=TrainingData(sha256=known.get("data_sha256"), source=_public(known.get("data_source"))),
        metrics=_metrics(known),
        **_classes(statistics),
    )


def _classes(statistics: Mapping[str, Any]) -> dict[str, Any]:
    try:
        labels = tuple(
            LabelCard(str(one["label"]), int(one["test_rows"]), *(_share(one[name]) for name in _FIGURES))
            for one in statistics["labels"]
        )
        threshold = statistics.get("score_threshold")
        return {
            "objective": str(statistics["objective"]),
            "labels": labels,
            "score_threshold": None if threshold is None else float(threshold),
        }
    except (KeyError, TypeError, ValueError):  # a package of an earlier release, or made by hand
        return {}


def _share(figure: Any) -> float | None:
    value = figure["value"] if isinstance(figure, dict) else figure  # an interval, or a number
    return None if value is None else float(value)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _hyperparameters(known: Mapping[str, str]) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in known.get("hyperparameters", "").split())
    return {name: value for name, _, value in pairs}


def _public(source: str | None) -> str | None:
    """Return the address of the data, unless it is in S3: bucket names stay private."""
    return source if source and source.startswith(("https://", "http://")) else None


def _metrics(known: Mapping[str, str]) -> Metrics | None:
    try:
        accuracy, f1 = (
            Estimate(float(known[name]), float(known[f"{name}_low"]), float(known[f"{name}_high"]))
            for name in ("accuracy", "f1")
        )
        return Metrics(accuracy=accuracy, f1=f1, test_rows=int(known["test_rows"]))
    except (KeyError, ValueError):  # a package that was created by hand or could not be measured
        return None
