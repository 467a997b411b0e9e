"""The functions' environment variables as one typed value."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from shared.settings import required


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the stack decides for every execution; each field is the variable of the same name in capitals."""

    artifacts_bucket: str
    """Bucket with evidence and evaluations."""
    evidence_prefix: str
    """Key prefix of the evidence, without slashes at its ends."""
    serving_stack: str
    """Name of the stack whose parameter `ModelPackageArn` names the champion."""
    prefix: str
    """Start of the names of evidence models and transform jobs; the configuration allows 32 characters."""
    model_package_group: str
    """Where the challenger is registered, for the report."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables. Raises MisconfiguredError: one is missing."""
        return cls(**{field.name: required(environment, field.name.upper()) for field in fields(cls)})

    def evidence_uri(self, test_sha256: str, answers: str = "") -> str:
        """Return the folder of a test set's evidence, or of some answers to it, with a slash at its end."""
        below = f"{answers}/" if answers else ""
        return f"s3://{self.artifacts_bucket}/{self.evidence_prefix}/{test_sha256}/{below}"

    def evaluation_uri(self, job_name: str, token: str) -> str:
        """Return the folder of one judgement of a job, with a slash at its end."""
        return f"s3://{self.artifacts_bucket}/training/{job_name}/evaluation/{token}/"
