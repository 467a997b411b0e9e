"""The server's environment variables, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from serving.errors import SettingsError

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """How one server process runs."""

    model_dir: Path = Path("/opt/ml/model")
    """`SM_MODEL_DIR`: the unpacked artifact."""
    host: str = "0.0.0.0"
    """`SAGEMAKER_BIND_TO_HOST`: inside a container every interface, on a developer's machine 127.0.0.1."""
    port: int = 8080
    """`SAGEMAKER_BIND_TO_PORT`; 0 picks a free one, which the log names."""
    model_version: str | None = None
    """`MODEL_VERSION`: the version of the model package, repeated in every answer."""
    threads: int = 1
    """`SERVING_INTRA_OP_THREADS`: cores that one forward pass may use."""
    workers: int = 2
    """`SERVING_WORKERS`: forward passes at the same time; further requests wait."""
    max_connections: int = 256
    """`SERVING_MAX_CONNECTIONS`: open connections (one thread each); a further one is answered with 503.
    Above the 200 concurrent requests that SageMaker sends to a serverless endpoint at most."""
    idle_seconds: float = 65
    """`SERVING_IDLE_SECONDS`: a connection silent for this long is closed; longer than the 60 s a request may take."""
    drain_seconds: float = 25
    """`SERVING_DRAIN_SECONDS`: after SIGTERM, time for running requests to finish; below the usual 30 s to SIGKILL."""
    log_level: str = "INFO"
    """`LOG_LEVEL`; pings are logged at DEBUG only."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> ServerSettings:
        """Read the variables named above; raises SettingsError naming the variable and what it allows."""
        level = environ.get("LOG_LEVEL", cls.log_level).upper()
        if level not in LOG_LEVELS:
            raise SettingsError("LOG_LEVEL", level, f"one of {', '.join(LOG_LEVELS)}")
        return cls(
            model_dir=Path(environ.get("SM_MODEL_DIR", str(cls.model_dir))),
            host=environ.get("SAGEMAKER_BIND_TO_HOST", cls.host),
            port=_whole_number(environ, "SAGEMAKER_BIND_TO_PORT", cls.port, 0, 65_535),
            model_version=environ.get("MODEL_VERSION") or None,
            threads=_whole_number(environ, "SERVING_INTRA_OP_THREADS", cls.threads, 1, 64),
            workers=_whole_number(environ, "SERVING_WORKERS", cls.workers, 1, 64),
            max_connections=_whole_number(environ, "SERVING_MAX_CONNECTIONS", cls.max_connections, 1, 4_096),
            idle_seconds=_whole_number(environ, "SERVING_IDLE_SECONDS", int(cls.idle_seconds), 1, 3_600),
            drain_seconds=_whole_number(environ, "SERVING_DRAIN_SECONDS", int(cls.drain_seconds), 0, 600),
            log_level=level,
        )


def _whole_number(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
        raise SettingsError(name, text, f"a whole number from {low} to {high}")
    return int(text)
