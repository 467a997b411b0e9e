"""A container image in a registry of one region."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ContainerImage:
    """An image and where it lies. Values may hold CDK tokens.

    Attributes:
        uri: what SageMaker is given as the image.
        registry: id of the account that holds it.
        repository: name of the repository in that account.
        region: the registry's region.
    """

    uri: str
    registry: str
    repository: str
    region: str

    def repository_arn(self, partition: str) -> str:
        """ARN of the repository, for pull permissions."""
        return f"arn:{partition}:ecr:{self.region}:{self.registry}:repository/{self.repository}"
