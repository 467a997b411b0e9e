"""The Lambda's environment variables, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from predict.errors import MisconfiguredError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the stack tells this function. Powertools reads POWERTOOLS_SERVICE_NAME and LOG_LEVEL by itself."""

    endpoint_name: str
    """`ENDPOINT_NAME`: the SageMaker endpoint to ask; it need not exist yet."""
    model_version_fallback: str | None = None
    """`MODEL_VERSION_FALLBACK`: reported as the version of a container that does not name its own."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the variables named above; raises MisconfiguredError naming the one that is missing."""
        endpoint_name = environ.get("ENDPOINT_NAME", "")
        if not endpoint_name:
            raise MisconfiguredError("the environment variable ENDPOINT_NAME is missing: set it to the endpoint's name")
        return cls(endpoint_name=endpoint_name, model_version_fallback=environ.get("MODEL_VERSION_FALLBACK") or None)
