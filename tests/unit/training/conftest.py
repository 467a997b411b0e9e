"""A base model small enough to train in a second, and data that it can learn."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from transformers import PreTrainedModel

WORDS = ("good", "bad", "battery", "camera", "works", "broke", "great", "poor", "the", "very", "lasts", "long", "short")


@pytest.fixture(scope="module", autouse=True)
def offline_and_frugal() -> Iterator[None]:
    """Ask no hub, and compute in one thread in each process, because tiny models gain nothing from more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Let torch compute in one thread in this process."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with a BERT of 2 layers and 32 dimensions, random weights, and a tokenizer that knows `WORDS`."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-bert")
    vocabulary = {word: n for n, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=64,
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def scored_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.json and test.json whose score follows from the words: good and great, bad and poor."""
    folder = tmp_path_factory.mktemp("scored")
    write_reviews(folder / "train.json", rows=240, offset=0)
    write_reviews(folder / "test.json", rows=60, offset=1000)
    return folder


def write_reviews(path: Path, *, rows: int, offset: int) -> None:
    """Write rows of `sentence` and `helpful`, all different; every second one has a score of 1 or more."""
    good, bad = ("good", "great", "works", "lasts"), ("bad", "poor", "broke", "short")
    with path.open("w", encoding="utf-8") as file:
        for n in range(offset, offset + rows):
            helpful = n % 2
            telling = (good if helpful else bad)[n // 2 % 4]
            score = (1.5 if helpful else 0.5) + (n % 5) / 20
            text = f"the {telling} {'very ' * (n % 3)}battery {n}"
            file.write(json.dumps({"sentence": text, "helpful": score}) + "\n")


class _StopAt(logging.Handler):
    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def emit(self, record: logging.LogRecord) -> None:
        if f"step={self.step}/" in record.getMessage():
            signal.raise_signal(signal.SIGTERM)


@contextmanager
def stopped_at(step: int) -> Iterator[pytest.ExceptionInfo[SystemExit]]:
    """Send SIGTERM to this process when the log says that training has come to `step`; the job must exit."""
    log, handler = logging.getLogger("classifier"), _StopAt(step)
    log.addHandler(handler)
    try:
        with pytest.raises(SystemExit) as stopped:
            yield stopped
    finally:
        log.removeHandler(handler)


def tiny_classifier(architecture: str, *, labels: int) -> PreTrainedModel:
    """Make a random model of 1 layer and 32 dimensions."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    sizes = {"vocab_size": 30, "num_labels": labels}
    if architecture == "distilbert":
        sizes |= {"dim": 32, "hidden_dim": 64, "n_layers": 1, "n_heads": 2}
    else:
        sizes |= {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    torch.manual_seed(1)
    return AutoModelForSequenceClassification.from_config(AutoConfig.for_model(architecture, **sizes)).eval()


def logits_of(model: PreTrainedModel) -> np.ndarray:
    """Run a model on two rows of four tokens."""
    import torch

    with torch.inference_mode():
        found: np.ndarray = model(
            input_ids=torch.tensor([[2, 4, 5, 3], [2, 8, 9, 3]]), attention_mask=torch.ones(2, 4, dtype=torch.long)
        ).logits.numpy()
    return found
