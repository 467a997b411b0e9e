"""predict.settings: the Lambda's environment."""

from __future__ import annotations

import pytest
from predict.errors import MisconfiguredError
from predict.settings import Settings


def test_variables_are_read() -> None:
    """Both variables reach their fields."""
    settings = Settings.from_env({"ENDPOINT_NAME": "e", "MODEL_VERSION_FALLBACK": "distilbert"})
    assert settings == Settings(endpoint_name="e", model_version_fallback="distilbert")


def test_an_empty_fallback_is_none() -> None:
    """A stack without a fallback sets the variable to nothing; that is no version."""
    assert Settings.from_env({"ENDPOINT_NAME": "e", "MODEL_VERSION_FALLBACK": ""}).model_version_fallback is None


@pytest.mark.parametrize("environ", [{}, {"ENDPOINT_NAME": ""}])
def test_the_endpoints_name_is_required(environ: dict[str, str]) -> None:
    """Missing or empty, it is named in the error."""
    with pytest.raises(MisconfiguredError, match="ENDPOINT_NAME"):
        Settings.from_env(environ)
