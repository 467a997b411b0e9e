"""The Lambda's environment variables, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from predict.errors import MisconfiguredError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the stack tells this function. Powertools reads LOG_LEVEL by itself."""

    endpoint_name: str
    """`ENDPOINT_NAME`: the SageMaker endpoint to ask; it need not exist yet."""
    model_version_fallback: str | None = None
    """`MODEL_VERSION_FALLBACK`: reported as the version of a container that does not name its own."""
    model_packages_arn: str | None = None
    """`MODEL_PACKAGES_ARN`: ARN of the registry's packages without the version; None leaves models undescribed."""
    api_key_required: bool = False
    """`API_KEY_REQUIRED`: whether predictions take a key, which the served contract and the demo page then say."""
    log_texts: bool = False
    """`LOG_TEXTS`: whether callers' texts are logged. Off unless asked for: they are other people's words."""
    tracing: bool = False
    """`TRACING`: whether segments go to X-Ray."""
    service: str = "predict"
    """`POWERTOOLS_SERVICE_NAME`: names this function in log lines, and is the dimension of its metrics."""
    metrics_namespace: str = "predict"
    """`POWERTOOLS_METRICS_NAMESPACE`: CloudWatch namespace of its metrics."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the variables named above; raises MisconfiguredError naming one that is missing or not allowed."""
        endpoint_name = environ.get("ENDPOINT_NAME", "")
        if not endpoint_name:
            raise MisconfiguredError("the environment variable ENDPOINT_NAME is missing: set it to the endpoint's name")
        return cls(
            endpoint_name=endpoint_name,
            model_version_fallback=environ.get("MODEL_VERSION_FALLBACK") or None,
            model_packages_arn=environ.get("MODEL_PACKAGES_ARN") or None,
            api_key_required=_flag(environ, "API_KEY_REQUIRED"),
            log_texts=_flag(environ, "LOG_TEXTS"),
            tracing=_flag(environ, "TRACING"),
            service=environ.get("POWERTOOLS_SERVICE_NAME") or cls.service,
            metrics_namespace=environ.get("POWERTOOLS_METRICS_NAMESPACE") or cls.metrics_namespace,
        )


def _flag(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name) or "false"
    if value not in ("true", "false"):
        raise MisconfiguredError(f"the environment variable {name} is {value!r}: set it to true or false")
    return value == "true"
