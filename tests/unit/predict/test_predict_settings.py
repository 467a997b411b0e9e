"""predict.settings: the Lambda's environment."""

from __future__ import annotations

import pytest

from predict.settings import Settings
from shared.errors import MisconfiguredError


def test_variables_are_read() -> None:
    """Every variable reaches its field."""
    environ = {
        "ENDPOINT_NAME": "e",
        "MODEL_VERSION_FALLBACK": "distilbert",
        "MODEL_PACKAGES_ARN": "arn:packages",
        "API_KEY_REQUIRED": "true",
        "LOG_TEXTS": "true",
        "POWERTOOLS_SERVICE_NAME": "p",
        "POWERTOOLS_METRICS_NAMESPACE": "n",
    }
    assert Settings.from_environment(environ) == Settings(
        endpoint_name="e",
        model_version_fallback="distilbert",
        model_packages_arn="arn:packages",
        api_key_required=True,
        log_texts=True,
        service="p",
        metrics_namespace="n",
    )


def test_callers_texts_stay_out_of_the_log_unless_asked_for() -> None:
    """A function that is told nothing else logs no texts."""
    settings = Settings.from_environment({"ENDPOINT_NAME": "e"})
    assert (settings.log_texts, settings.api_key_required) == (False, False)


def test_a_flag_is_true_or_false() -> None:
    """Anything else is refused with the variable's name when the function is loaded."""
    with pytest.raises(MisconfiguredError, match="LOG_TEXTS"):
        Settings.from_environment({"ENDPOINT_NAME": "e", "LOG_TEXTS": "yes"})


def test_an_empty_fallback_is_none() -> None:
    """A stack without a fallback sets the variable to nothing; that is no version."""
    assert (
        Settings.from_environment({"ENDPOINT_NAME": "e", "MODEL_VERSION_FALLBACK": ""}).model_version_fallback is None
    )


@pytest.mark.parametrize("environ", [{}, {"ENDPOINT_NAME": ""}])
def test_the_endpoints_name_is_required(environ: dict[str, str]) -> None:
    """Missing or empty, it is named in the error."""
    with pytest.raises(MisconfiguredError, match="ENDPOINT_NAME"):
        Settings.from_environment(environ)
