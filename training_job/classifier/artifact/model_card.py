"""The model card: what the model is, what it was trained on and how good it is, from `evaluation.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classifier.model.base_model import BaseModel

_LEARNED = {
    "regression": "It learned the score behind the labels by regression. Its two logits are "
    "`[0, a * (score - threshold)]`: the softmax is the confidence, the larger logit decides, and the score is "
    "`threshold + (l1 - l0) / a`. `config.json` has `a` as `score_scale`, and the threshold.",
    "classification": "It learned the labels by cross-entropy. The softmax of its two logits is the confidence.",
}

_CARD = """\
---
library_name: transformers
pipeline_tag: text-classification
{hub_id}---

# Text classifier: {labels[0]} or {labels[1]}

A fine-tuned `{base_model}` that decides between `{labels[0]}` (0) and `{labels[1]}` (1). {learned}

## How good it is

| split | rows | accuracy (95 % interval) | F1 (95 % interval) | Pearson |
|---|---|---|---|---|
{rows}

The int8 form in `onnx/` gives the same label on {int8[agreement]:.1%} of the {int8[split]} rows (accuracy \
{int8[accuracy]:.4f}).

{student}Epoch and calibration were chosen on the validation split, which was held out of the training data. The \
test split decided nothing.

## How it was made

{train_rows} training rows; SHA-256 of the data `{data_sha256}`; {train_seconds:.0f} s of training. All \
hyperparameters are in `evaluation.json`.

## Use

```python
from transformers import pipeline

classify = pipeline("text-classification", model="PATH_TO_THIS_FOLDER")
classify("This was a Christmas gift for my grandson.", truncation=True)
```

{vendored[note]}

The model is limited by its data. It also answers texts that differ from the training texts in language, kind or \
length, and its confidence does not reflect the difference.
"""

_STUDENT = """\
This is a student: it has layers {layers} of a full model and learned from its answers. The full model has an accuracy \
of {full[value]:.4f} on the {split} rows; the student's differs by {price[value]:+.4f} (paired 95 % interval \
{price[low]:+.4f} to {price[high]:+.4f}).

"""


def model_card(evaluation: dict[str, Any], base: BaseModel) -> str:
    """Return the artifact's `README.md`, with the metadata block that the Hugging Face Hub reads.

    Args:
        evaluation: the content of `evaluation.json`.
    """
    rows = [_row(split, evaluation[split]) for split in ("test", "validation") if evaluation.get(split)]
    values = {
        **evaluation,
        "base_model": base.title,
        "hub_id": "" if base.local else f"base_model: {base.title}\n",
        "learned": _LEARNED[evaluation["objective"]],
        "rows": "\n".join(rows),
        "student": _student(evaluation["student"]) if evaluation.get("student") else "",
    }
    return _CARD.format(**values)


def _student(student: dict[str, Any]) -> str:
    return _STUDENT.format(
        layers=", ".join(map(str, student["layers"])),
        full=student["teacher"]["accuracy"],
        split=student["split"],
        price=student["difference"]["accuracy"],
    )


def _row(split: str, metrics: dict[str, Any]) -> str:
    cells = [
        split,
        str(metrics["rows"]),
        *("{value:.4f} ({low:.4f}–{high:.4f})".format(**metrics[name]) for name in ("accuracy", "f1")),
        "–" if metrics["pearson"] is None else f"{metrics['pearson']:.4f}",
    ]
    return "| " + " | ".join(cells) + " |"
