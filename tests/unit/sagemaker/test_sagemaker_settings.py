"""The image map and the parts that read it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from local.sagemaker.images import UnknownImage, find_rule
from local.sagemaker.settings import ImageRule, load_image_map

TRAINING = ImageRule(image="*pytorch-training*", kind="training", python=sys.executable)
SERVING = ImageRule(image="*pytorch-inference*", kind="serving", python=sys.executable, command=("serve.py",))


def test_map_is_read_from_a_file(tmp_path: Path) -> None:
    """A JSON list of rules becomes rules, in order."""
    entries = [
        {"image": "a*", "kind": "training", "python": "/p"},
        {"image": "b*", "kind": "serving", "python": "/p", "command": ["s.py", "serve"], "environment": {"X": "1"}},
    ]
    (tmp_path / "images.json").write_text(json.dumps(entries))
    first, second = load_image_map(tmp_path / "images.json")
    assert first == ImageRule(image="a*", kind="training", python="/p")
    assert (second.command, second.environment) == (("s.py", "serve"), {"X": "1"})


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"image": "a", "kind": "training"}, "missing ['python']"),
        ({"image": "a", "kind": "training", "python": "/p", "pyhton": "/q"}, "unknown ['pyhton']"),
        ({"image": "a", "kind": "batch", "python": "/p"}, "kind is"),
        ({"image": "a", "kind": "serving", "python": "/p"}, "needs a command"),
    ],
)
def test_broken_entries_are_explained(entry: dict[str, Any], words: str) -> None:
    """A rule that cannot be meant says what is wrong with it."""
    with pytest.raises(ValueError) as refused:
        ImageRule.from_dict(entry)
    assert words in str(refused.value)


def test_first_fitting_rule_of_the_kind() -> None:
    """Image and kind decide; the account and tag of the image do not matter."""
    image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-inference:2.6.0-cpu"
    assert find_rule([TRAINING, SERVING], image, "serving") is SERVING
    with pytest.raises(UnknownImage, match=r"Images it knows: \*pytorch-training\*\."):
        find_rule([TRAINING, SERVING], image, "training")


def test_missing_interpreter_is_named() -> None:
    """A rule whose interpreter does not exist is an error that names the file."""
    rule = ImageRule(image="*", kind="training", python="/no/python")
    with pytest.raises(UnknownImage, match="/no/python"):
        find_rule([rule], "x", "training")
