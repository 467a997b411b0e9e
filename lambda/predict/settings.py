"""The Lambda's environment variables, typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from shared.settings import flag, required


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the stack tells this function. Powertools reads LOG_LEVEL by itself."""

    endpoint_name: str
    """`ENDPOINT_NAME`: the SageMaker endpoint to ask; it need not exist yet."""
    model_version_fallback: str | None = None
    """`MODEL_VERSION_FALLBACK`: the version to report for a container that does not name its own."""
    model_packages_arn: str | None = None
    """`MODEL_PACKAGES_ARN`: ARN of the registry's packages without the version; None leaves models undescribed."""
    api_key_required: bool = False
    """`API_KEY_REQUIRED`: whether predictions take a key; the served contract and the demo page then say so."""
    log_texts: bool = False
    """`LOG_TEXTS`: whether callers' texts are logged. They may be personal, so they are not by default."""
    service: str = "predict"
    """`POWERTOOLS_SERVICE_NAME`: name of this function in log lines, and the dimension of its metrics."""
    metrics_namespace: str = "predict"
    """`POWERTOOLS_METRICS_NAMESPACE`: CloudWatch namespace of its metrics."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables named above; raise MisconfiguredError for one that is missing or not allowed."""
        return cls(
            endpoint_name=required(environment, "ENDPOINT_NAME"),
            model_version_fallback=environment.get("MODEL_VERSION_FALLBACK") or None,
            model_packages_arn=environment.get("MODEL_PACKAGES_ARN") or None,
            api_key_required=flag(environment, "API_KEY_REQUIRED"),
            log_texts=flag(environment, "LOG_TEXTS"),
            service=environment.get("POWERTOOLS_SERVICE_NAME") or cls.service,
            metrics_namespace=environment.get("POWERTOOLS_METRICS_NAMESPACE") or cls.metrics_namespace,
        )
