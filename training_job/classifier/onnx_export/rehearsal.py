"""Export a small copy of the model before the training, so that one that cannot be exported is refused first."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from classifier.onnx_export.export import trace

if TYPE_CHECKING:
    from transformers import PreTrainedModel

LAYERS, WORDS = 2, 1_000
"""Size of the copy: two layers show how layers are joined, and most weights of a small model are its vocabulary."""


def rehearse_export(model: PreTrainedModel) -> None:
    """Trace a model like `model`, with fewer layers and words and random weights, in about a second; raise JobError."""
    small = _small(model)
    if small is not None:
        with tempfile.TemporaryDirectory(prefix="rehearsal-") as scratch:
            trace(small, Path(scratch) / "model.onnx")


def _small(model: PreTrainedModel) -> PreTrainedModel | None:
    """Make the copy; None where the configuration allows no smaller one: then the real export decides."""
    config = copy.deepcopy(model.config)
    special = [value for name, value in config.to_dict().items() if name.endswith("_token_id") and value is not None]
    try:
        config.num_hidden_layers = min(LAYERS, config.num_hidden_layers)
        config.vocab_size = min(max([WORDS, *(value + 1 for value in special)]), config.vocab_size)
        if getattr(config, "layer_types", None):  # one for each layer
            config.layer_types = config.layer_types[: config.num_hidden_layers]
        small: PreTrainedModel = type(model)(config)
    except Exception:  # configurations and models raise many kinds
        return None
    small.train(False)
    return small
