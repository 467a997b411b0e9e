"""Read labels, maximum length and how to interpret the logits from an artifact's `config.json`."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from serving.errors import ArtifactError

SECTION = "text_classifier"
"""Key of our settings in `config.json`; artifacts of the first releases have them at the top level."""

OBJECTIVES = ("regression", "classification", "multilabel")
SIDES = ("right", "left")


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The part of `config.json` that prediction needs."""

    labels: tuple[str, ...]
    """Label names in the order of the logits (`id2label`)."""
    objective: str
    """`regression`: two logits `[0, scale * (score - threshold)]`; `classification`: one label a text, softmax;
    `multilabel`: any number of labels a text, a sigmoid for each."""
    max_length: int
    """Tokens of a text, special tokens included; longer texts are truncated and reported as such."""
    truncation_side: str = "right"
    """The end of a long text that is cut off."""
    score_scale: float = 1.0
    """The factor `a` from score to logit; for regression only."""
    score_threshold: float = 1.0
    """The score at which both labels are equally likely; for regression only."""
    label_thresholds: tuple[float, ...] = ()
    """The probability from which on each label is given, in the order of the labels; for multilabel only."""
    pad_token_id: int = 0
    """Token that pads the shorter rows of a batch (the attention mask hides it)."""

    @classmethod
    def read(cls, model_dir: Path) -> Self:
        """Read `model_dir/config.json`; raise ArtifactError with the key and what is allowed."""
        path = model_dir / "config.json"
        values = _read_object(path)
        labels = _labels(path, values)
        settings = values.get(SECTION, values)
        if not isinstance(settings, dict):
            raise ArtifactError(path, f"{SECTION} is not an object")
        objective = _choice(path, settings, "objective", OBJECTIVES)
        max_length = settings.get("max_length")
        if not isinstance(max_length, int) or isinstance(max_length, bool) or max_length < 3:
            raise ArtifactError(path, f"max_length is {max_length!r}, expected a whole number of tokens from 3")
        meaning: dict[str, Any] = {}
        if objective == "regression":
            if len(labels) != 2:
                raise ArtifactError(path, f"a regression model has 2 labels, id2label names {len(labels)}")
            meaning = {
                "score_scale": _number(path, settings, "score_scale", positive=True),
                "score_threshold": _number(path, settings, "score_threshold", positive=False),
            }
        elif objective == "multilabel":
            meaning = {"label_thresholds": _thresholds(path, settings, len(labels))}
        return cls(
            labels=labels,
            objective=objective,
            max_length=max_length,
            truncation_side=_choice(path, {"truncation_side": "right", **settings}, "truncation_side", SIDES),
            pad_token_id=values.get("pad_token_id") or 0,
            **meaning,
        )


def _read_object(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactError(path, "the file is missing") from error
    except (OSError, ValueError) as error:
        raise ArtifactError(path, f"cannot be read as JSON ({error})") from error
    if not isinstance(values, dict):
        raise ArtifactError(path, "expected a JSON object")
    return values


def _labels(path: Path, values: dict[str, Any]) -> tuple[str, ...]:
    id2label = values.get("id2label")
    if not isinstance(id2label, dict) or len(id2label) < 2:
        raise ArtifactError(path, "id2label is missing or names fewer than two labels")
    try:
        return tuple(str(id2label[str(index)]) for index in range(len(id2label)))
    except KeyError as error:
        raise ArtifactError(path, f"id2label has no label for id {error.args[0]}") from error


def _choice(path: Path, values: dict[str, Any], key: str, allowed: tuple[str, ...]) -> str:
    value: Any = values.get(key)
    if value not in allowed:
        raise ArtifactError(path, f"{key} is {value!r}, expected one of {', '.join(allowed)}")
    return str(value)


def _thresholds(path: Path, values: dict[str, Any], labels: int) -> tuple[float, ...]:
    thresholds = values.get("label_thresholds")
    if not isinstance(thresholds, list) or len(thresholds) != labels:
        raise ArtifactError(path, f"label_thresholds is not a list of {labels} numbers, one for each label")
    named = {f"label_thresholds[{index}]": value for index, value in enumerate(thresholds)}
    return tuple(_number(path, named, name, positive=False) for name in named)


def _number(path: Path, values: dict[str, Any], key: str, *, positive: bool) -> float:
    value: Any = values.get(key)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if is_number and (value > 0 or not positive):
        return float(value)
    raise ArtifactError(path, f"{key} is {value!r}, expected a {'positive ' if positive else ''}number")
