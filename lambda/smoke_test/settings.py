"""The function's environment variables as one typed value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smoke_test.errors import Misconfigured


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the stack decides. Powertools reads POWERTOOLS_SERVICE_NAME by itself."""

    endpoint_name: str
    """``ENDPOINT_NAME``: the endpoint that is asked."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Reads and checks the variables.

        Raises:
            Misconfigured: one is missing.
        """
        endpoint_name = environment.get("ENDPOINT_NAME", "").strip()
        if not endpoint_name:
            raise Misconfigured("ENDPOINT_NAME")
        return cls(endpoint_name=endpoint_name)
