"""serving.model_config: the required content of config.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from serving.errors import ArtifactError
from serving.model_config import ModelConfig

GOOD: dict[str, Any] = {
    "id2label": {"0": "no", "1": "yes"},
    "objective": "regression",
    "max_length": 128,
    "score_scale": 4,
    "score_threshold": 1.0,
    "pad_token_id": 1,
}


def read(folder: Path, **changes: Any) -> ModelConfig:
    values = {key: value for key, value in (GOOD | changes).items() if value != "absent"}
    (folder / "config.json").write_text(json.dumps(values))
    return ModelConfig.read(folder)


def test_reads_every_field(tmp_path: Path) -> None:
    """All that prediction needs comes from the file."""
    assert read(tmp_path) == ModelConfig(
        labels=("no", "yes"),
        objective="regression",
        max_length=128,
        score_scale=4.0,
        score_threshold=1.0,
        pad_token_id=1,
    )


def test_labels_follow_their_ids(tmp_path: Path) -> None:
    """The order of the logits is that of the ids, not of the file."""
    assert read(tmp_path, id2label={"1": "yes", "0": "no"}).labels == ("no", "yes")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("objective", "absent"),
        ("objective", "ranking"),
        ("max_length", "absent"),
        ("max_length", 2),
        ("max_length", True),
        ("max_length", "128"),
        ("score_scale", "absent"),
        ("score_scale", 0),
        ("score_scale", float("nan")),
        ("score_threshold", None),
        ("id2label", "absent"),
        ("id2label", {"0": "only"}),
        ("id2label", {"0": "no", "2": "yes"}),
        ("id2label", {"0": "a", "1": "b", "2": "c"}),
    ],
)
def test_a_bad_value_is_named(tmp_path: Path, key: str, value: Any) -> None:
    """A missing or impossible value raises an error that names the key."""
    with pytest.raises(ArtifactError, match=key):
        read(tmp_path, **{key: value})


def test_classification_needs_no_score(tmp_path: Path) -> None:
    """The keys about the score may be absent from a model without one."""
    config = read(tmp_path, objective="classification", score_scale="absent", score_threshold="absent")
    assert config.objective == "classification"


def test_a_list_is_not_a_config(tmp_path: Path) -> None:
    """JSON of another kind than an object is refused."""
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(ArtifactError, match="object"):
        ModelConfig.read(tmp_path)
