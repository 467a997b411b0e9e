"""What runs for a variant of an endpoint, or for a model by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from local.sagemaker.common.errors import UnsupportedError
from local.sagemaker.common.names import Scope
from local.sagemaker.models.models import Models
from local.sagemaker.state.store import Record


@dataclass(frozen=True, kw_only=True)
class VariantSpec:
    """Everything that is needed to start one variant.

    It is stored with the endpoint, which can therefore restart after its model was deleted.
    """

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
        """Limit of concurrent requests; None for an instance-backed variant, which has no limit."""
        return self.serverless.get("MaxConcurrency")

    def as_record(self) -> Record:
        """Return the stored form."""
        return asdict(self)

    def summary(self, created: float) -> Record:
        """Return the variant's entry in DescribeEndpoint's ProductionVariants."""
        entry: dict[str, Any] = {
            "VariantName": self.name,
            "DeployedImages": [{"SpecifiedImage": self.image, "ResolvedImage": self.image, "ResolutionTime": created}],
            "CurrentWeight": self.weight,
            "DesiredWeight": self.weight,
        }
        if self.serverless:
            return entry | {"CurrentServerlessConfig": self.serverless}
        return entry | {"CurrentInstanceCount": self.instance_count, "DesiredInstanceCount": self.instance_count}


def resolve(models: Models, scope: Scope, variant: Mapping[str, Any]) -> VariantSpec:
    """Return what runs for a variant of a configuration. Raises InvalidRequestError if its model is gone."""
    name = variant["ModelName"]
    model, container = models.named(scope, name), models.container(scope, name)
    return VariantSpec(
        name=variant.get("VariantName", name),
        model=name,
        image=container["Image"],
        role_arn=model["ExecutionRoleArn"],
        model_data_url=_artifact(container, name),
        environment=container.get("Environment", {}),
        weight=variant.get("InitialVariantWeight", 1.0),
        instance_count=variant.get("InitialInstanceCount", 0),
        instance_type=variant.get("InstanceType", ""),
        serverless=variant.get("ServerlessConfig", {}),
        network_isolation=model.get("EnableNetworkIsolation", False),
    )


def _artifact(container: Record, model_name: str) -> str:
    """Return the URI of model.tar.gz, from either of the two members that can name it."""
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source is None:
        return str(container.get("ModelDataUrl", ""))
    if source.get("CompressionType") != "Gzip" or source.get("S3DataType") != "S3Object":
        raise UnsupportedError(
            f"the ModelDataSource of model {model_name}; use S3DataType S3Object and CompressionType Gzip"
        )
    return str(source["S3Uri"])
