"""What an endpoint runs: one specification per variant, resolved from its configuration when it is deployed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from local.sagemaker.common.errors import ValidationException
from local.sagemaker.common.scope import Scope
from local.sagemaker.models.models import Models
from local.sagemaker.state.store import Record


@dataclass(frozen=True, kw_only=True)
class VariantSpec:
    """Everything needed to start one variant; kept with the endpoint, so that deleting its model does not stop it."""

    name: str
    model: str
    image: str
    role_arn: str
    model_data_url: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    weight: float = 1.0
    instance_count: int = 0
    instance_type: str = ""
    serverless: dict[str, int] = field(default_factory=dict)
    network_isolation: bool = False

    @property
    def max_concurrency(self) -> int | None:
        """Requests at a time; None for an instance-backed variant, which takes what comes."""
        return self.serverless.get("MaxConcurrency")

    def as_record(self) -> Record:
        """The form in which it is stored."""
        return asdict(self)

    def summary(self, created: float) -> Record:
        """Its entry in DescribeEndpoint's ProductionVariants."""
        entry: dict[str, Any] = {
            "VariantName": self.name,
            "DeployedImages": [{"SpecifiedImage": self.image, "ResolvedImage": self.image, "ResolutionTime": created}],
            "CurrentWeight": self.weight,
            "DesiredWeight": self.weight,
        }
        if self.serverless:
            return entry | {"CurrentServerlessConfig": self.serverless}
        return entry | {"CurrentInstanceCount": self.instance_count, "DesiredInstanceCount": self.instance_count}


def resolve(models: Models, scope: Scope, config: Record) -> list[VariantSpec]:
    """The variants of a configuration. Raises ValidationException when a model or its package is gone."""
    return [_resolve_variant(models, scope, variant) for variant in config["ProductionVariants"]]


def resolve_model(models: Models, scope: Scope, name: str) -> VariantSpec:
    """A model by itself, as a transform job runs it. Raises ValidationException when it or its package is gone."""
    return _resolve_variant(models, scope, {"VariantName": name, "ModelName": name})


def _resolve_variant(models: Models, scope: Scope, variant: Record) -> VariantSpec:
    model = models.get(scope, variant["ModelName"])
    container = models.container(scope, variant["ModelName"])
    return VariantSpec(
        name=variant["VariantName"],
        model=variant["ModelName"],
        image=container["Image"],
        role_arn=model["ExecutionRoleArn"],
        model_data_url=_artifact(container, variant["ModelName"]),
        environment=container.get("Environment", {}),
        weight=variant.get("InitialVariantWeight", 1.0),
        instance_count=variant.get("InitialInstanceCount", 0),
        instance_type=variant.get("InstanceType", ""),
        serverless=variant.get("ServerlessConfig", {}),
        network_isolation=model.get("EnableNetworkIsolation", False),
    )


def _artifact(container: Record, model_name: str) -> str:
    """URI of model.tar.gz, from either of the two places where a container can name it."""
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source is None:
        url: str = container.get("ModelDataUrl", "")
        return url
    if source.get("CompressionType") != "Gzip" or source.get("S3DataType") != "S3Object":
        raise ValidationException(
            f"Model {model_name}: the local cloud takes a ModelDataSource of type S3Object, compressed with Gzip, only."
        )
    uri: str = source["S3Uri"]
    return uri
