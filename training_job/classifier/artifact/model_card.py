"""The model card: what the model is, what it was trained on and how good it is, from `evaluation.json`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

if TYPE_CHECKING:
    from classifier.model.base_model import BaseModel

SHOWN_LABELS = 30
"""Labels with a line of their own; of more, the best and the worst."""


def model_card(evaluation: dict[str, Any], base: BaseModel) -> str:
    """Return the artifact's `README.md`, with the hub's metadata block, from the content of `evaluation.json`."""
    folder = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=folder, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    shown, split = list(evaluation["labels"]), evaluation["int8"]["split"]
    judged = evaluation[split]
    if len(shown) > SHOWN_LABELS:
        ordered = sorted(shown, key=lambda name: -judged["classes"][name]["f1"]["value"])
        shown = [*ordered[: SHOWN_LABELS // 2], *ordered[-SHOWN_LABELS // 2 :]]
    template = environment.get_template("model_card.md.jinja")
    return template.render(**evaluation, base=base, split=split, judged=judged, shown=shown)
