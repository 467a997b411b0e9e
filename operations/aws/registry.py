"""The model registry of one environment: its packages, what was decided about them, and which one serves."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from local.sagemaker.state.archives import ArchiveError, extract
from operations.aws.deployment import Deployment
from operations.console import say
from operations.errors import OperationError

APPROVED, PENDING = "Approved", "PendingManualApproval"


@dataclass(frozen=True)
class Package:
    """One version in the environment's model package group.

    Attributes:
        reason: why it has this status: the gate's verdict, a release's failure, or what a person wrote.
        metadata: provenance, figures and release notes (CustomerMetadataProperties).
        image: the container that serves it.
        archive: its `model.tar.gz`, an address in S3.
    """

    arn: str
    version: int
    status: str
    created: datetime
    reason: str
    metadata: dict[str, str]
    image: str = ""
    archive: str = ""

    @property
    def released_at(self) -> str:
        """When it last went into service (ISO, UTC); empty where it never did."""
        return self.metadata.get("released_at", "")  # a failed release leaves it as it was

    @property
    def status_and_reason(self) -> str:
        """Both in one line; the gate's reason begins with the status."""
        return self.reason if self.reason.startswith(f"{self.status}:") else f"{self.status}: {self.reason}"


def packages(deployment: Deployment) -> list[Package]:
    """Return all packages of the group, the oldest first."""
    client = deployment.client("sagemaker")
    pages = client.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=deployment.output("ModelPackageGroup")
    )
    arns = [summary["ModelPackageArn"] for page in pages for summary in page["ModelPackageSummaryList"]]
    found = [_package(client.describe_model_package(ModelPackageName=arn)) for arn in arns]
    return sorted(found, key=lambda package: package.version)


def package(deployment: Deployment, given: str) -> Package:
    """Return the package given as an ARN or as a version number; for an empty text the one registered last."""
    known = packages(deployment)
    group = deployment.output("ModelPackageGroup")
    if not known and not given:
        raise OperationError(f"There is no model package in group {group} yet.", hint="make train makes one")
    for candidate in reversed(known):
        if given in ("", candidate.arn, str(candidate.version)):
            return candidate
    versions = ", ".join(str(candidate.version) for candidate in known) or "none"
    raise OperationError(
        f"There is no model package '{given}' in group {group}; its versions: {versions}.",
        hint="make releases lists them; make train makes one",
    )


def previous(deployment: Deployment) -> Package:
    """Return the package that served before the champion: of all others that were released, the latest one."""
    champion = deployment.released_package
    released = [
        candidate
        for candidate in packages(deployment)
        if candidate.released_at and candidate.arn != champion and candidate.status == APPROVED
    ]
    if not released:
        raise OperationError(
            "No other approved package has ever served here: there is nothing to go back to.",
            hint="make releases lists what there is",
        )
    return max(released, key=lambda candidate: candidate.released_at)


def fetch(deployment: Deployment, folder: Path, found: Package) -> tuple[Path, str]:
    """Download the judged artifact of a package; return folder and SHA-256.

    The latter is empty for a package of an earlier version, which recorded none.
    """
    bucket, _, key = found.archive.removeprefix("s3://").partition("/")
    archive = folder / "model.tar.gz"
    deployment.client("s3").download_file(bucket, key, str(archive))
    with archive.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    recorded = re.search(r"models/([0-9a-f]{64})/model\.tar\.gz$", key)
    if recorded and recorded[1] != digest:
        hint = "find out who wrote it (the object's versions, CloudTrail), and train anew"
        raise OperationError(f"{found.archive} is not the archive that was judged, but {digest}.", hint=hint)
    say(f"Model package {found.version} of {deployment.env}")
    return unpack(archive, folder / "model"), digest if recorded else ""


def unpack(archive: Path, folder: Path) -> Path:
    """Extract a `model.tar.gz` into `folder`, and return that."""
    try:
        extract(archive, folder)
    except ArchiveError as error:
        raise OperationError(str(error), hint="give a model.tar.gz or a folder") from error
    return folder


def _package(description: dict[str, Any]) -> Package:
    container = description.get("InferenceSpecification", {}).get("Containers", [{}])[0]
    return Package(
        arn=description["ModelPackageArn"],
        version=description["ModelPackageVersion"],
        status=description["ModelApprovalStatus"],
        created=description["CreationTime"],
        reason=description.get("ApprovalDescription", ""),
        metadata=description.get("CustomerMetadataProperties", {}),
        image=container.get("Image", ""),
        archive=container.get("ModelDataUrl", ""),
    )
