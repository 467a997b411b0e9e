"""serving.server.settings: the server's environment variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.errors import ServingError
from serving.server.settings import ServerSettings, usable_cores


def test_without_variables_it_is_sagemakers_contract() -> None:
    """Port 8080 on every interface, the model in /opt/ml/model."""
    settings = ServerSettings.from_environment({})
    assert (settings.host, settings.port, settings.model_dir) == ("0.0.0.0", 8080, Path("/opt/ml/model"))


def test_variables_are_read() -> None:
    """Each variable reaches its field with its type."""
    settings = ServerSettings.from_environment(
        {
            "SM_MODEL_DIR": "/m",
            "SAGEMAKER_BIND_TO_HOST": "127.0.0.1",
            "SAGEMAKER_BIND_TO_PORT": "9000",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": "100",
            "MODEL_VERSION": "7",
            "SERVING_INTRA_OP_THREADS": "4",
            "SERVING_WORKERS": "3",
            "SERVING_QUEUE": "8",
            "SERVING_MAX_CONNECTIONS": "10",
            "SERVING_READ_SECONDS": "9",
            "SERVING_IDLE_SECONDS": "5",
            "SERVING_DRAIN_SECONDS": "6",
            "LOG_LEVEL": "debug",
        }
    )
    assert settings == ServerSettings(
        model_dir=Path("/m"),
        host="127.0.0.1",
        port=9000,
        max_body_bytes=100 * 1024 * 1024,
        model_version="7",
        threads=4,
        workers=3,
        queue=8,
        max_connections=10,
        read_seconds=9,
        idle_seconds=5,
        drain_seconds=6,
        log_level="DEBUG",
    )


def test_there_is_a_worker_for_each_usable_core() -> None:
    """There are fewer with several threads a pass, and always at least one."""
    assert ServerSettings.from_environment({}).workers == usable_cores()
    assert ServerSettings.from_environment({"SERVING_INTRA_OP_THREADS": "64"}).workers == max(usable_cores() // 64, 1)


def test_an_empty_version_is_none() -> None:
    """A stack without a version sets the variable to an empty value, which means None."""
    assert ServerSettings.from_environment({"MODEL_VERSION": ""}).model_version is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAGEMAKER_BIND_TO_PORT", "http"),
        ("SAGEMAKER_BIND_TO_PORT", "65536"),
        ("SAGEMAKER_BIND_TO_PORT", ""),
        ("SAGEMAKER_MAX_PAYLOAD_IN_MB", "0"),
        ("SERVING_WORKERS", "0"),
        ("SERVING_QUEUE", "9" * 5_000),
        ("SERVING_INTRA_OP_THREADS", "-1"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_bad_value_names_its_variable(name: str, value: str) -> None:
    """The message begins with the variable's name."""
    with pytest.raises(ServingError) as caught:
        ServerSettings.from_environment({name: value})
    assert str(caught.value).startswith(f"{name}=")
