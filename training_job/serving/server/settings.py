"""The server's settings, from environment variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from serving.errors import ServingError

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
MEGABYTE = 1024 * 1024


def usable_cores() -> int:
    """Return the number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """The settings of one server process."""

    model_dir: Path = Path("/opt/ml/model")
    """`SM_MODEL_DIR`: the unpacked artifact."""
    host: str = "0.0.0.0"
    """`SAGEMAKER_BIND_TO_HOST`: every interface inside a container; use 127.0.0.1 on a developer's machine."""
    port: int = 8080
    """`SAGEMAKER_BIND_TO_PORT`; 0 selects a free port, which the log names."""
    user: int = 0
    """`SERVING_USER`: id of the user and group that a server started as root becomes before it listens; 0 stays root.
    SageMaker starts containers as root, which alone may be able to read the model; the image says 65534 (nobody)."""
    max_body_bytes: int = 6 * MEGABYTE
    """`SAGEMAKER_MAX_PAYLOAD_IN_MB`: largest request body. SageMaker sends at most 6 MB to an instance and 4 MB to a
    serverless endpoint. A batch transform job sets the variable to its own limit, at most 100 (0 is not supported: the
    job would send bodies of unknown length)."""
    model_version: str | None = None
    """`MODEL_VERSION`: the version of the model package, returned in every answer."""
    files_sha256: str | None = None
    """`MODEL_FILES_SHA256`: digest of the files to load; others are refused. Packages of earlier versions have none."""
    threads: int = 1
    """`SERVING_INTRA_OP_THREADS`: cores for one forward pass."""
    workers: int = field(default_factory=usable_cores)
    """`SERVING_WORKERS`: simultaneous forward passes. Default: as many as the cores allow, with `threads` each."""
    queue: int = 256
    """`SERVING_QUEUE`: requests that may wait for a worker; further ones get a 429. More than the 200 concurrent
    requests that SageMaker sends to a serverless endpoint at most."""
    max_connections: int = 1_024
    """`SERVING_MAX_CONNECTIONS`: open connections; further ones get a 503."""
    read_seconds: float = 30
    """`SERVING_READ_SECONDS`: time limit for a request's head, and again for its body."""
    idle_seconds: float = 65
    """`SERVING_IDLE_SECONDS`: time limit between two requests of a connection; longer than the 60 s that a request may
    take."""
    drain_seconds: float = 25
    """`SERVING_DRAIN_SECONDS`: time limit for running requests after SIGTERM; below the usual 30 s to SIGKILL."""
    log_level: str = "INFO"
    """`LOG_LEVEL`; pings are logged at DEBUG only."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read the variables named above; raise ServingError with the variable and what it allows."""
        level = environ.get("LOG_LEVEL", cls.log_level).upper()
        if level not in LOG_LEVELS:
            raise _not_allowed("LOG_LEVEL", level, f"one of {', '.join(LOG_LEVELS)}")
        megabytes = _whole_number(environ, "SAGEMAKER_MAX_PAYLOAD_IN_MB", cls.max_body_bytes // MEGABYTE, 1, 100)
        threads = _whole_number(environ, "SERVING_INTRA_OP_THREADS", cls.threads, 1, 64)
        return cls(
            model_dir=Path(environ.get("SM_MODEL_DIR", str(cls.model_dir))),
            host=environ.get("SAGEMAKER_BIND_TO_HOST", cls.host),
            port=_whole_number(environ, "SAGEMAKER_BIND_TO_PORT", cls.port, 0, 65_535),
            user=_whole_number(environ, "SERVING_USER", cls.user, 0, 65_535),
            max_body_bytes=megabytes * MEGABYTE,
            model_version=environ.get("MODEL_VERSION") or None,
            files_sha256=environ.get("MODEL_FILES_SHA256") or None,
            threads=threads,
            workers=_whole_number(environ, "SERVING_WORKERS", min(max(usable_cores() // threads, 1), 64), 1, 64),
            queue=_whole_number(environ, "SERVING_QUEUE", cls.queue, 0, 10_000),
            max_connections=_whole_number(environ, "SERVING_MAX_CONNECTIONS", cls.max_connections, 1, 10_000),
            read_seconds=_whole_number(environ, "SERVING_READ_SECONDS", int(cls.read_seconds), 1, 3_600),
            idle_seconds=_whole_number(environ, "SERVING_IDLE_SECONDS", int(cls.idle_seconds), 1, 3_600),
            drain_seconds=_whole_number(environ, "SERVING_DRAIN_SECONDS", int(cls.drain_seconds), 0, 600),
            log_level=level,
        )


def _whole_number(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or not low <= int(text) <= high:
        raise _not_allowed(name, text, f"a whole number from {low} to {high}")
    return int(text)


def _not_allowed(name: str, value: str, allowed: str) -> ServingError:
    return ServingError(f"{name}={value!r} is not allowed: expected {allowed}")
