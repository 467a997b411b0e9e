"""The folders of the local SageMaker import each other in one direction only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[3] / "local" / "sagemaker"
LAYERS = [
    "common",
    "state",
    "api",
    "models",
    "processes",
    "endpoints",
    "jobs",
    "training",
    "transform",
    "processing",
    "tuning",
]
"""Each may import those before it."""


def test_every_folder_has_a_place() -> None:
    """A new folder has to be put into the order."""
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(LAYERS)


@pytest.mark.parametrize("folder", LAYERS)
def test_imports_point_down(folder: str) -> None:
    """No module imports from a folder above its own, and training and transform jobs do not know each other."""
    below = set(LAYERS[: LAYERS.index(folder) + 1]) - ({"training"} if folder == "transform" else set())
    for path in (PACKAGE / folder).glob("*.py"):
        imported = re.findall(r"^from local\.sagemaker\.?(\w*)", path.read_text(), re.MULTILINE)
        assert set(imported) <= below, path.name
