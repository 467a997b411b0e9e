"""What answers sentences: model data in an image with an environment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Artifact:
    """A serving container as a model package names it.

    Attributes:
        content: what tells one content of the model data from another (S3's ETag); empty until it was looked up.
    """

    image: str
    model_data: str
    environment: Mapping[str, str]
    content: str = ""

    def holding(self, content: str) -> Artifact:
        """The same with its content known: other bytes at the same address are another artifact."""
        return replace(self, content=content)

    @property
    def identity(self) -> str:
        """16 hexadecimal digits: the same for whatever gives the same answers because it is the same."""
        environment = json.dumps(dict(self.environment), sort_keys=True)
        return hashlib.sha256(f"{self.model_data}{self.content}{self.image}{environment}".encode()).hexdigest()[:16]
