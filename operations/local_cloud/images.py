"""What stands for each container image on this machine, as `images.toml` says."""

import json
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from local.sagemaker.common.settings import ImageRule
from operations import paths
from operations.aws.deployment import PROJECT

DOCKERFILE = paths.ROOT / "container" / "Dockerfile"


@cache
def _images() -> dict[str, dict[str, Any]]:
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    for name, value in {"python": paths.PYTHON, "root": paths.ROOT, "project": PROJECT}.items():
        text = text.replace(f"${name}", json.dumps(str(value))[1:-1])  # TOML's strings have JSON's escapes
    images: dict[str, dict[str, Any]] = tomllib.loads(text)
    instructions = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    images["slim"]["environment"] = dict(re.findall(r"^ENV (GLIBC_\w+)=(\S+)$", instructions, re.MULTILINE))
    return images


def serving_images() -> dict[str, ImageRule]:
    """Return the stand-in of each container (`serving.container` in cdk.json)."""
    rules = {name: rule for name, rule in _images().items() if rule["kind"] == "serving"}
    return {name: ImageRule(**{**rule, "command": tuple(rule["command"])}) for name, rule in rules.items()}


def write_image_map() -> None:
    """Tell the local cloud which program stands for which image."""
    paths.LOCAL.mkdir(parents=True, exist_ok=True)
    paths.IMAGES.write_text(json.dumps(list(_images().values()), indent=2) + "\n", encoding="utf-8")
