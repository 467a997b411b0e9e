"""Environment variables: an error names the one that is missing."""

from __future__ import annotations

import pytest

from gate.settings import Settings
from shared.errors import MisconfiguredError

ENVIRONMENT = {
    "ARTIFACTS_BUCKET": "artifacts",
    "EVIDENCE_PREFIX": "proof",
    "SERVING_STACK": "p-serving",
    "PREFIX": "p",
    "MODEL_PACKAGE_GROUP": "group",
}


def test_folders_follow_from_the_settings() -> None:
    """Evidence is stored by the hash of the sentences and the artifact, the evaluation below the job."""
    settings = Settings.from_environment(ENVIRONMENT)
    assert settings.evidence_uri("abc") == "s3://artifacts/proof/abc/"
    assert settings.evidence_uri("abc", "12") == "s3://artifacts/proof/abc/12/"
    assert settings.evaluation_uri("job-1", "0ab") == "s3://artifacts/training/job-1/evaluation/0ab/"


@pytest.mark.parametrize("variable", list(ENVIRONMENT))
def test_a_missing_variable_is_named(variable: str) -> None:
    """A blank one counts as missing."""
    for value in ("", "  "):
        with pytest.raises(MisconfiguredError, match=f"environment variable {variable} is missing"):
            Settings.from_environment({**ENVIRONMENT, variable: value})
