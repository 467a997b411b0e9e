"""Reads a model package. Errors of boto3 end here."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.errors import FunctionError


class PackageUnreadableError(FunctionError):
    """The model package cannot be looked up."""


@dataclass(frozen=True)
class Package:
    """A model package."""

    version: str
    """Its version, as the endpoint reports it."""
    evidence_uri: str
    """S3 URI of its answers to the test sentences; "" where it has none."""

    @property
    def sentences_uri(self) -> str:
        """S3 URI of the test sentences, which lie beside the folder of each artifact's answers."""
        return f"{self.evidence_uri.rsplit('/', 2)[0]}/sentences.jsonl"


def describe(registry: Any, arn: str) -> Package:
    """Look a package up with a boto3 SageMaker client; raise PackageUnreadableError."""
    try:
        found = registry.describe_model_package(ModelPackageName=arn)
    except (ClientError, BotoCoreError) as error:
        raise PackageUnreadableError(f"model package {arn} cannot be read: {error}.") from error
    evidence = found.get("CustomerMetadataProperties", {}).get("evidence", "")
    return Package(version=arn.rpartition("/")[2], evidence_uri=evidence if evidence.startswith("s3://") else "")
