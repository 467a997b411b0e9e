"""What a classifier gains from sentence embeddings: a start for few rows, a second loss for many classes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel

import train
from classifier.model.base_model import BaseModel
from classifier.model.encoding import encode
from classifier.training.embeddings import EmbeddingTeacher, can_be_taught, contrast, embeddings
from tests.unit.training.conftest import tiny_classifier

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def embedding_base(tiny_base: Path, tmp_path: Path) -> Path:
    """Make a base model that says it is made for the mean of its token vectors."""
    folder = tmp_path / "embedding-bert"
    shutil.copytree(tiny_base, folder)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}), encoding="utf-8")
    return folder


def classifier_of(folder: Path, labels: int = 3) -> PreTrainedModel:
    """Load a base model with a new head."""
    model: PreTrainedModel = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=labels)
    return model.eval()


def test_only_models_made_for_the_mean_are_taught(embedding_base: Path, tiny_base: Path) -> None:
    """A plain BERT is fine-tuned as ever, and so is a family without a layer that can start at the mean."""
    model = classifier_of(embedding_base)
    made, plain = (BaseModel(str(folder), str(folder), None, local=True) for folder in (embedding_base, tiny_base))
    assert can_be_taught(model, made) and not can_be_taught(model, plain)
    assert not can_be_taught(tiny_classifier("distilbert", labels=3), made)


def test_padding_does_not_change_an_embedding() -> None:
    """The mean is over the tokens of the text, and its length is 1."""
    tokens, mask = torch.randn(1, 5, 8), torch.tensor([[1, 1, 1, 0, 0]])
    found = embeddings(tokens, mask)
    torch.testing.assert_close(found, embeddings(tokens[:, :3], mask[:, :3]))
    assert float(found.norm()) == pytest.approx(1.0)


def test_the_linear_layer_learns_its_rows_and_the_classifier_starts_at_it(embedding_base: Path) -> None:
    """It answers all rows right; the classifier's last layer holds the same directions, and the base is unchanged."""
    model, tokenizer = classifier_of(embedding_base, 2), AutoTokenizer.from_pretrained(embedding_base)
    before = model.base_model.embeddings.word_embeddings.weight.clone()
    rows = encode(tokenizer, ["good great", "great works", "bad poor", "poor broke"], [0, 0, 1, 1])
    teacher = EmbeddingTeacher(model)
    teacher.fit(tokenizer, rows, None)
    inputs = {name: torch.tensor(rows[name]) for name in ("input_ids", "attention_mask")}
    assert teacher(**inputs).logits.argmax(dim=1).tolist() == [0, 0, 1, 1]
    teacher.start(model)
    cosine = torch.nn.functional.cosine_similarity(model.classifier.weight, teacher.head.weight)
    assert cosine.tolist() == pytest.approx([1.0, 1.0])
    assert torch.equal(model.base_model.embeddings.word_embeddings.weight, before)
    assert not model.get_input_embeddings().weight.requires_grad


def test_contrast_prefers_classes_that_lie_together() -> None:
    """Near rows of one class cost less than near rows of two; rows without a partner cost nothing."""
    vectors = torch.nn.functional.normalize(torch.tensor([[1.0, 0.1], [1.0, 0.0], [0.0, 1.0], [0.1, 1.0]]), dim=1)
    together, apart = (float(contrast(vectors, torch.tensor(labels))) for labels in ([0, 0, 1, 1], [0, 1, 0, 1]))
    assert together < apart
    assert float(contrast(vectors, torch.arange(4))) == 0.0


@pytest.mark.integration
@pytest.mark.parametrize("each", [12, 40])
def test_a_small_data_set_trains_a_plain_classifier(embedding_base: Path, tmp_path: Path, each: int) -> None:
    """With few rows a class the log says who teaches, with more that embeddings are pulled together."""
    words = ["good", "bad", "battery", "camera", "works", "broke", "great", "poor", "lasts", "long", "short", "very"]
    rng = np.random.default_rng(0)
    rows = [(f"{word} the {rng.choice(words)} {n}", word) for word in words for n in range(each)]
    data = tmp_path / "rows.csv"
    data.write_text("text,label\n" + "\n".join(f"{text},{label}" for text, label in rows), encoding="utf-8")
    folders = [f"--train={data}", f"--model-dir={tmp_path / 'model'}", f"--output-data-dir={tmp_path / 'out'}"]
    given = [f"--base_model={embedding_base}", "--vendor_onnxruntime=no", f"--checkpoint-dir={tmp_path / 'ck'}"]
    learned = [] if each < 20 else ["--epochs=15", "--learning_rate=5e-3"]
    assert train.main([*folders, *given, *learned], {}) == 0
    evaluation = json.loads((tmp_path / "model" / "evaluation.json").read_text(encoding="utf-8"))
    said = " ".join(evaluation["recipe"]["reasons"])
    assert ("teaches the classifier" in said) is (each < 20) and ("second loss" in said) is (each > 20)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    assert type(model).__name__ == "BertForSequenceClassification" and model.config.num_labels == len(words)
