"""Settings of the local SageMaker service."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from local.sagemaker.common.errors import FailedError


@dataclass(frozen=True, kw_only=True)
class ImageRule:
    """Which program of this machine stands for a container image."""

    image: str
    """Pattern of image URIs (`fnmatch`), e.g. `*huggingface-pytorch-inference*`."""
    kind: Literal["training", "serving"]
    python: str
    """Path of the interpreter that stands for the image's."""
    command: tuple[str, ...] = ()
    """Arguments of the interpreter, required for serving. Paths are relative to the extracted artifact."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that the image would set. The request's Environment takes precedence."""

    def __post_init__(self) -> None:
        if self.kind not in ("training", "serving"):
            raise ValueError(f"Image map entry {self.image}: kind is 'training' or 'serving'.")
        if self.kind == "serving" and not self.command:
            raise ValueError(f"Image map entry {self.image}: a serving image needs a command.")


def load_image_map(path: Path) -> tuple[ImageRule, ...]:
    """Read an image map: a JSON list of objects with the fields of `ImageRule`. Raises ValueError, OSError."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return tuple(ImageRule(**{**entry, "command": tuple(entry.get("command", ()))}) for entry in entries)
    except (AttributeError, TypeError) as error:
        raise ValueError(f"It has to be a JSON list of entries with the fields of ImageRule: {error}") from error


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Folders, limits and timeouts of the service."""

    state_dir: Path
    """Folder for resources (JSON), job folders and extracted artifacts; the service alone writes there."""
    log_dir: Path
    """Folder for log files: `<kind of job>s/<job>.log`, `endpoints/<name>-<variant>.log`."""
    endpoint_url: str
    """URL of the local cloud, passed to child processes as AWS_ENDPOINT_URL."""
    images: Sequence[ImageRule] = ()
    """The image map. The first matching rule applies."""
    child_environment: Mapping[str, str] = field(default_factory=dict)
    """Variables for every child process (proxies, HF_HUB_OFFLINE, …). It inherits nothing else from the server."""
    max_training_jobs: int = 4
    """Concurrent training jobs. One more is refused with ResourceLimitExceeded."""
    stop_grace_seconds: float = 5.0
    """Seconds that a stopped training job goes on before it is killed; 120 on AWS."""
    shutdown_grace_seconds: float = 3.0
    """Seconds between SIGTERM and SIGKILL of a model server when the whole service stops."""
    endpoint_start_seconds: float = 180.0
    """Timeout for the first good /ping of a model server, as on AWS."""
    invocation_seconds: float = 60.0
    """Timeout for an answer to /invocations, as on AWS."""

    def image_rule(self, image: str, kind: Literal["training", "serving"]) -> ImageRule:
        """Return the first rule of `kind` whose pattern matches `image`. Raises FailedError."""
        rules = [rule for rule in self.images if rule.kind == kind]
        for rule in rules:
            if not fnmatchcase(image, rule.image):
                continue
            if Path(rule.python).is_file():
                return rule
            raise FailedError(
                f"The local cloud runs {rule.python} in place of image {image}, but there is no such file."
            )
        patterns = ", ".join(rule.image for rule in rules) or "none"
        raise FailedError(f"The local cloud cannot run image {image} for {kind}. Images it knows: {patterns}.")
