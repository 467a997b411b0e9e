"""Which program of this machine stands for which container image."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from local.sagemaker.common.errors import FailedError
from local.sagemaker.common.settings import ImageRule


def find_rule(images: Sequence[ImageRule], image: str, kind: Literal["training", "serving"]) -> ImageRule:
    """Return the first rule of `kind` whose pattern matches `image`. Raises FailedError."""
    rules = [rule for rule in images if rule.kind == kind]
    for rule in rules:
        if fnmatchcase(image, rule.image):
            if not Path(rule.python).is_file():
                raise FailedError(
                    f"The local cloud runs {rule.python} in place of image {image}, and that file does not exist."
                )
            return rule
    patterns = ", ".join(rule.image for rule in rules) or "none"
    raise FailedError(f"The local cloud cannot run image {image} for {kind}. Images it knows: {patterns}.")
