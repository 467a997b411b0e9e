"""How the server of each serving image is started on this machine: arguments of the interpreter, and variables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from operations import paths

DOCKERFILE = paths.ROOT / "container" / "Dockerfile"


@dataclass(frozen=True)
class ServingImage:
    """What an image brings besides its files."""

    arguments: tuple[str, ...]
    """For the interpreter."""
    environment: dict[str, str] = field(default_factory=dict)
    """Variables that the image sets."""


@cache
def serving_images() -> dict[str, ServingImage]:
    """Container (`serving.container` in cdk.json) → its image's stand-in here."""
    instructions = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    return {
        "huggingface": ServingImage((str(paths.ROOT / "local" / "containers" / "huggingface.py"), "serve")),
        # ENTRYPOINT, CMD and ENV of the image; -I and -S let it import nothing but what it brings.
        "slim": ServingImage(
            ("-I", "-S", str(paths.ROOT / "build" / "slim"), "serve"),
            dict(re.findall(r"^ENV (\w+)=(\S+)$", instructions, re.MULTILINE)),
        ),
    }
