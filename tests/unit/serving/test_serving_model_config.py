"""serving.model_config: the required content of config.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from serving.errors import ArtifactError
from serving.model_config import ModelConfig

SETTINGS: dict[str, Any] = {
    "objective": "regression",
    "max_length": 128,
    "truncation_side": "left",
    "score_scale": 4,
    "score_threshold": 1.0,
    "label_thresholds": [0.5, 0.25],
}
MODEL: dict[str, Any] = {"id2label": {"0": "no", "1": "yes"}, "pad_token_id": 1}


def read(folder: Path, **changes: Any) -> ModelConfig:
    values = {key: value for key, value in (SETTINGS | MODEL | changes).items() if value != "absent"}
    settings = {key: values.pop(key) for key in SETTINGS if key in values}
    (folder / "config.json").write_text(json.dumps({"text_classifier": settings} | values))
    return ModelConfig.read(folder)


def test_reads_every_field(tmp_path: Path) -> None:
    """All that prediction needs comes from the file."""
    assert read(tmp_path) == ModelConfig(
        labels=("no", "yes"),
        objective="regression",
        max_length=128,
        truncation_side="left",
        score_scale=4.0,
        score_threshold=1.0,
        pad_token_id=1,
    )


def test_an_artifact_of_the_first_releases_is_read(tmp_path: Path) -> None:
    """They have the settings at the top level, and cut the end off."""
    settings = {key: SETTINGS[key] for key in ("objective", "max_length", "score_scale", "score_threshold")}
    (tmp_path / "config.json").write_text(json.dumps(MODEL | settings))
    assert ModelConfig.read(tmp_path) == ModelConfig(
        labels=("no", "yes"),
        objective="regression",
        max_length=128,
        score_scale=4.0,
        score_threshold=1.0,
        pad_token_id=1,
    )


def test_several_labels_have_a_threshold_each(tmp_path: Path) -> None:
    """They are in the order of the labels."""
    assert read(tmp_path, objective="multilabel").label_thresholds == (0.5, 0.25)


@pytest.mark.parametrize("value", ["absent", 0.5, [0.5], [0.5, None], [0.5, float("nan")]])
def test_thresholds_that_do_not_fit_the_labels_are_refused(tmp_path: Path, value: Any) -> None:
    """A model for several labels cannot answer without them."""
    with pytest.raises(ArtifactError, match="label_thresholds"):
        read(tmp_path, objective="multilabel", label_thresholds=value)


def test_labels_follow_their_ids(tmp_path: Path) -> None:
    """The order of the logits is that of the ids, not of the file."""
    assert read(tmp_path, id2label={"1": "yes", "0": "no"}).labels == ("no", "yes")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("objective", "absent"),
        ("objective", "ranking"),
        ("text_classifier", []),
        ("truncation_side", "middle"),
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
