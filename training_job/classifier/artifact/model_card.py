"""The model card: what the model is, what it was trained on and how good it is, from ``evaluation.json``."""

from __future__ import annotations

from typing import Any

_USAGE = """```python
from transformers import pipeline

classify = pipeline("text-classification", model="PATH_TO_THIS_FOLDER")
classify("This was a Christmas gift for my grandson.", truncation=True)
```"""


def model_card(
    evaluation: dict[str, Any], *, labels: tuple[str, str], base_model: str, on_hub: bool, objective: str
) -> str:
    """The text of ``README.md`` in the artifact, with the metadata block that the Hugging Face Hub reads.

    Args:
        evaluation: the content of ``evaluation.json``.
        labels: names of label 0 and label 1.
        base_model: what training started from, in words.
        on_hub: whether that is a hub id.
        objective: ``regression`` or ``classification``.
    """
    learned = (
        "It learned the score behind the labels by regression. Its two logits are `[0, a * (score - threshold)]`, so "
        "the softmax is the confidence and the larger logit decides; `score = threshold + (l1 - l0) / a`, with `a` = "
        "`score_scale` and the threshold in `config.json`."
        if objective == "regression"
        else "It learned the labels by cross-entropy; the softmax of its two logits is the confidence."
    )
    rows = [_row(split, evaluation[split]) for split in ("test", "validation") if evaluation.get(split)]
    int8 = evaluation["int8"]
    return "\n".join(
        [
            *_metadata(base_model, on_hub),
            f"# Text classifier: {labels[0]} or {labels[1]}",
            "",
            f"A fine-tuned `{base_model}` that decides between `{labels[0]}` (0) and `{labels[1]}` (1). {learned}",
            "",
            "## How good it is",
            "",
            "| split | rows | accuracy (95 % interval) | F1 (95 % interval) | Pearson |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"The int8 form in `onnx/` gives the same label on {int8['agreement']:.1%} of the {int8['split']} rows "
            f"(accuracy {int8['accuracy']:.4f}).",
            "",
            *_student(evaluation),
            "Epoch and calibration were chosen on the validation split, which was held out of the training data; the "
            "test split chose nothing.",
            "",
            "## How it was made",
            "",
            f"{evaluation['train_rows']} training rows; SHA-256 of the data `{evaluation['data_sha256']}`; "
            f"{evaluation['train_seconds']:.0f} s of training. All hyperparameters are in `evaluation.json`.",
            "",
            "## Use",
            "",
            _USAGE,
            "",
            evaluation["vendored"]["note"],
            "",
            "Its limits are those of its data: a text unlike the training texts in language, kind or length gets an "
            "answer too, and its confidence says nothing about that.",
            "",
        ]
    )


def _metadata(base_model: str, on_hub: bool) -> list[str]:
    hub_id = [f"base_model: {base_model}"] if on_hub else []
    return ["---", "library_name: transformers", "pipeline_tag: text-classification", *hub_id, "---", ""]


def _student(evaluation: dict[str, Any]) -> list[str]:
    """What it costs that a student serves; nothing for a full model."""
    student = evaluation.get("student")
    if student is None:
        return []
    price, full = student["difference"]["accuracy"], student["teacher"]["accuracy"]
    layers = ", ".join(map(str, student["layers"]))
    return [
        f"This is a student: it has layers {layers} of a full model and learned from its answers. The full model has "
        f"an accuracy of {full['value']:.4f} on the {student['split']} rows; the student's differs by "
        f"{price['value']:+.4f} (paired 95 % interval {price['low']:+.4f} to {price['high']:+.4f}).",
        "",
    ]


def _row(split: str, figures: dict[str, Any]) -> str:
    accuracy, f1, pearson = figures["accuracy"], figures["f1"], figures["pearson"]
    cells = [
        split,
        str(figures["rows"]),
        *(f"{f['value']:.4f} ({f['low']:.4f}–{f['high']:.4f})" for f in (accuracy, f1)),
        "–" if pearson is None else f"{pearson:.4f}",
    ]
    return "| " + " | ".join(cells) + " |"
