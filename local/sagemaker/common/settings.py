"""Settings of the local SageMaker service, given by whoever starts it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class ImageRule:
    """How a container image is replaced by a program of this machine."""

    image: str
    """Pattern of image URIs (`fnmatch`), e.g. ``*huggingface-pytorch-inference*``."""
    kind: Literal["training", "serving"]
    """What the image is used for."""
    python: str
    """Interpreter that takes the place of the one inside the image."""
    command: tuple[str, ...] = ()
    """Serving only: arguments for the interpreter, relative to the extracted artifact."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables the image would set; the request's Environment wins over them."""

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> ImageRule:
        """Build a rule from one entry of the image map file. Raises ValueError naming what is wrong."""
        unknown = sorted(set(entry) - {"image", "kind", "python", "command", "environment"})
        missing = sorted({"image", "kind", "python"} - set(entry))
        if unknown or missing:
            raise ValueError(f"Image map entry {dict(entry)}: missing {missing}, unknown {unknown}.")
        if entry["kind"] not in ("training", "serving"):
            raise ValueError(f"Image map entry {dict(entry)}: kind is 'training' or 'serving'.")
        if entry["kind"] == "serving" and not entry.get("command"):
            raise ValueError(f"Image map entry {dict(entry)}: a serving image needs a command.")
        return cls(
            image=entry["image"],
            kind=entry["kind"],
            python=entry["python"],
            command=tuple(entry.get("command", ())),
            environment=dict(entry.get("environment", {})),
        )


def load_image_map(path: Path) -> tuple[ImageRule, ...]:
    """Read an image map: a JSON list of objects with the fields of `ImageRule`. Raises ValueError, OSError."""
    entries = json.loads(Path(path).read_text(encoding="utf-8"))
    if not isinstance(entries, list):
        raise ValueError(f"The image map {path} has to be a JSON list.")
    return tuple(ImageRule.from_dict(entry) for entry in entries)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the service keeps things and how patient it is."""

    state_dir: Path
    """Folder of this service's own: resources as JSON, job folders, extracted artifacts."""
    log_dir: Path
    """Folder of the log files: ``training-jobs/<job>.log`` and ``endpoints/<endpoint>-<variant>.log``."""
    endpoint_url: str
    """URL of the local cloud, given to children as AWS_ENDPOINT_URL."""
    images: Sequence[ImageRule] = ()
    """The image map; the first matching rule wins."""
    child_environment: Mapping[str, str] = field(default_factory=dict)
    """Variables every child gets (proxies, HF_HUB_OFFLINE, …). Nothing else of the server's environment reaches it."""
    max_training_jobs: int = 4
    """Training jobs at a time; one more is a ResourceLimitExceeded."""
    stop_grace_seconds: float = 120.0
    """From SIGTERM to SIGKILL when a job is stopped; 120 s on AWS."""
    shutdown_grace_seconds: float = 3.0
    """The same when the whole service stops."""
    endpoint_start_seconds: float = 180.0
    """A variant has to answer /ping within this time; 3 minutes on AWS."""
    invocation_seconds: float = 60.0
    """A model has to answer /invocations within this time; 60 s on AWS."""
    keep_job_folders: bool = False
    """Keep the folder of a finished job (input, code, model) instead of removing it."""
