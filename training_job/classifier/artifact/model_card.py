"""The model card: what the model is, what it was trained on and how good it is, from `evaluation.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classifier.model.base_model import BaseModel

_LEARNED = {
    "regression": "It learned the score behind the labels by regression. Its two logits are "
    "`[0, a * (score - threshold)]`: the softmax is the confidence, the larger logit decides, and the score is "
    "`threshold + (l1 - l0) / a`. `config.json` has `a` as `score_scale`, and the threshold.",
    "classification": "It learned the labels by cross-entropy. The softmax of its logits is the confidence.",
    "multilabel": "It learned each label by binary cross-entropy. The sigmoid of a logit is the probability of its "
    "label, which is given from its own threshold on; `config.json` has them as `label_thresholds`.",
}

SHOWN_LABELS = 30
"""Labels with a line of their own; of more, the best and the worst."""

_CARD = """\
---
library_name: transformers
pipeline_tag: text-classification
{hub_id}---

# Text classifier: {title}

A fine-tuned `{base_model}` that {decides}. {learned}

## How good it is

| split | rows | {figures} |
|---|---|{rule}
{rows}

{baseline}The int8 form in `onnx/` agrees on {int8[agreement]:.1%} of the answers to the {int8[split]} rows (accuracy \
{int8[accuracy]:.4f}). The confidence is off by {ece:.1%} on average (expected calibration error, {int8[split]} rows).

{student}Epoch, calibration and thresholds were chosen on the validation split, which was not trained on. The test \
split decided nothing.

## Each label ({int8[split]} rows)

| label | rows | precision | recall | F1 (95 % interval) |
|---|---|---|---|---|
{classes}
{confused}
## How it was made

{train_rows} training rows; SHA-256 of the data `{data_sha256}`; {train_seconds:.0f} s of training: {recipe[epochs]} \
epochs, learning rate {recipe[learning_rate]:g}, batches of {recipe[batch_size]}. All hyperparameters are in \
`evaluation.json`.

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

_HEADINGS = {"accuracy": "accuracy", "f1": "F1", "macro_f1": "macro F1", "micro_f1": "micro F1"}


def model_card(evaluation: dict[str, Any], base: BaseModel) -> str:
    """Return the artifact's `README.md`, with the hub's metadata block, from the content of `evaluation.json`."""
    labels, objective = evaluation["labels"], evaluation["objective"]
    names = ["accuracy", *(("f1",) if len(labels) == 2 and objective != "multilabel" else ("macro_f1", "micro_f1"))]
    headings = [f"{_HEADINGS[name]} (95 % interval)" for name in names] + ["Pearson"] * (objective == "regression")
    split = evaluation["int8"]["split"]
    splits = [name for name in ("test", "validation") if evaluation.get(name)]
    values = {
        **evaluation,
        "title": _title(labels),
        "decides": _decides(labels, objective),
        "base_model": base.title,
        "hub_id": "" if base.local else f"base_model: {base.title}\n",
        "learned": _LEARNED[objective],
        "figures": " | ".join(headings),
        "rule": "---|" * len(headings),
        "rows": "\n".join(_row(name, evaluation[name], names, objective) for name in splits),
        "baseline": _baseline(evaluation["baseline"], split, names[1]),
        "ece": evaluation[split]["calibration"]["ece"],
        "student": _student(evaluation["student"]) if evaluation.get("student") else "",
        "classes": _classes(evaluation[split]["classes"], labels),
        "confused": _confused(evaluation[split]["confused"]) if len(labels) > 2 else "",
    }
    return _CARD.format(**values)


def _title(labels: list[str]) -> str:
    return f"{labels[0]} or {labels[1]}" if len(labels) == 2 else f"{len(labels)} labels"


def _decides(labels: list[str], objective: str) -> str:
    if objective == "multilabel":
        return f"gives a text any of {len(labels)} labels, or none"
    if len(labels) == 2:
        return f"decides between `{labels[0]}` (0) and `{labels[1]}` (1)"
    return f"gives a text one of {len(labels)} labels"


def _baseline(baseline: dict[str, Any] | None, split: str, name: str) -> str:
    if not baseline:
        return ""
    figures = baseline[split]
    return (
        f"For comparison, {baseline['name']}: accuracy {figures['accuracy']:.4f}, {_HEADINGS[name]} "
        f"{figures[name]:.4f} on the {split} rows. "
    )


def _classes(classes: dict[str, Any], labels: list[str]) -> str:
    """Write a line for each label, or for the best and the worst of many."""
    chosen = list(labels)
    if len(chosen) > SHOWN_LABELS:
        ordered = sorted(chosen, key=lambda name: -classes[name]["f1"]["value"])
        chosen = [*ordered[: SHOWN_LABELS // 2], *ordered[-SHOWN_LABELS // 2 :]]
    lines = []
    for name in chosen:
        of = classes[name]
        f1 = "{value:.4f} ({low:.4f}–{high:.4f})".format(**of["f1"])
        cells = [_cell(name), str(of["rows"]), f"{of['precision']['value']:.4f}", f"{of['recall']['value']:.4f}", f1]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _confused(pairs: list[dict[str, Any]]) -> str:
    if not pairs:
        return ""
    said = "; ".join(f"{_cell(pair['truth'])} as {_cell(pair['answer'])} ({pair['rows']})" for pair in pairs[:5])
    return f"\nMost often confused: {said}.\n"


def _cell(name: str) -> str:
    """Write a label so that it breaks neither the table nor the code mark."""
    return "`" + name.replace("|", "/").replace("`", "'").replace("\n", " ") + "`"


def _student(student: dict[str, Any]) -> str:
    return _STUDENT.format(
        layers=", ".join(map(str, student["layers"])),
        full=student["teacher"]["accuracy"],
        split=student["split"],
        price=student["difference"]["accuracy"],
    )


def _row(split: str, metrics: dict[str, Any], names: list[str], objective: str) -> str:
    cells = [split, str(metrics["rows"])]
    cells += ["{value:.4f} ({low:.4f}–{high:.4f})".format(**metrics[name]) for name in names]
    if objective == "regression":
        cells.append("–" if metrics["pearson"] is None else f"{metrics['pearson']:.4f}")
    return "| " + " | ".join(cells) + " |"
