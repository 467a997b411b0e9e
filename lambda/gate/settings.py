"""The functions' environment variables as one typed value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gate.errors import Misconfigured

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
MAX_PREFIX = 63 - len("-evidence-01234567-abcdef")  # SageMaker allows 63 characters in a model's or job's name


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the stack decides for every execution."""

    artifacts_bucket: str
    """``ARTIFACTS_BUCKET``: bucket with evidence and evaluations."""

    evidence_prefix: str
    """``EVIDENCE_PREFIX``: key prefix of the evidence, without slashes at its ends; ``evidence`` if not set."""

    serving_stack: str
    """``SERVING_STACK``: name of the stack whose parameter ``ModelPackageArn`` is the champion."""

    prefix: str
    """``PREFIX``: start of the names of evidence models and transform jobs."""

    package_group: str
    """``MODEL_PACKAGE_GROUP``: where the model is registered, for the report; by default called like the prefix."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Reads and checks the variables.

        Raises:
            Misconfigured: one is missing or wrong.
        """
        prefix = _required(environment, "PREFIX")
        if len(prefix) > MAX_PREFIX or not _NAME.fullmatch(prefix):
            raise Misconfigured(
                "PREFIX", f"is {prefix!r}; letters, digits and hyphens are allowed, at most {MAX_PREFIX}"
            )
        return cls(
            artifacts_bucket=_required(environment, "ARTIFACTS_BUCKET"),
            evidence_prefix=environment.get("EVIDENCE_PREFIX", "").strip().strip("/") or "evidence",
            serving_stack=_required(environment, "SERVING_STACK"),
            prefix=prefix,
            package_group=environment.get("MODEL_PACKAGE_GROUP", "").strip() or prefix,
        )

    def evidence_uri(self, test_sha256: str, artifact_id: str | None = None) -> str:
        """The folder of a test set's evidence, or of one artifact's answers to it; ends in a slash."""
        below = f"{artifact_id}/" if artifact_id else ""
        return f"s3://{self.artifacts_bucket}/{self.evidence_prefix}/{test_sha256}/{below}"

    def evaluation_uri(self, job_name: str, token: str) -> str:
        """The folder of a job's report and verdict, one for each time it is judged; ends in a slash."""
        return f"s3://{self.artifacts_bucket}/training/{job_name}/evaluation/{token}/"


def _required(environment: Mapping[str, str], variable: str) -> str:
    value = environment.get(variable, "").strip()
    if not value:
        raise Misconfigured(variable, "is missing")
    return value
