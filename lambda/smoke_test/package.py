"""The adapter to the registry and its evidence: errors of boto3 end here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from smoke_test.errors import EvidenceUnreadable, PackageUnreadable

_MISSING = ("NoSuchKey", "NoSuchBucket", "404")


@dataclass(frozen=True)
class Package:
    """A model package.

    Attributes:
        version: its version, as the endpoint reports it.
        evidence_uri: S3 URI of its answers to the test sentences; "" where it has none.
    """

    version: str
    evidence_uri: str

    @property
    def sentences_uri(self) -> str:
        """S3 URI of the sentences: they lie beside the folder of each artifact's answers."""
        return f"{self.evidence_uri.rsplit('/', 2)[0]}/sentences.jsonl"


def describe(registry: Any, arn: str) -> Package:
    """Look a package up.

    Args:
        registry: a boto3 SageMaker client.
        arn: of the package.

    Raises:
        PackageUnreadable: there is none, or this function may not look.
    """
    try:
        found = registry.describe_model_package(ModelPackageName=arn)
    except (ClientError, BotoCoreError) as error:
        raise PackageUnreadable(arn, f"cannot be read: {error}") from error
    evidence = found.get("CustomerMetadataProperties", {}).get("evidence", "")
    return Package(version=arn.rpartition("/")[2], evidence_uri=evidence if evidence.startswith("s3://") else "")


def read_object(store: Any, uri: str) -> bytes:
    """The content of an object.

    Args:
        store: a boto3 S3 client.
        uri: ``s3://bucket/key``.

    Raises:
        EvidenceUnreadable: it isn't there, or this function may not read it.
    """
    parts = urlsplit(uri)
    try:
        content: bytes = store.get_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))["Body"].read()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise EvidenceUnreadable(uri, f"cannot be read: S3 answered {code}", missing=code in _MISSING) from error
    except BotoCoreError as error:
        raise EvidenceUnreadable(uri, f"cannot be read: {error}") from error
    return content
