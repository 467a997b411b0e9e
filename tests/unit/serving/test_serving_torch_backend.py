"""serving.torch_backend: serving without onnxruntime."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from serving.errors import ArtifactError, ServingError
from serving.predictor import load_backend, load_predictor

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def bert_artifact(tiny_artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny artifact's tokenizer with a random BERT of two layers, and no ONNX file."""
    folder = tmp_path_factory.mktemp("bert")
    shape: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.BertConfig(vocab_size=8, intermediate_size=16, max_position_embeddings=16, **shape)
    torch.manual_seed(0)
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    ours = json.loads((tiny_artifact / "config.json").read_text())
    theirs = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(theirs | ours))
    (folder / "tokenizer.json").write_bytes((tiny_artifact / "tokenizer.json").read_bytes())
    return folder


@pytest.fixture
def without_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter in which importing onnxruntime fails."""
    monkeypatch.delitem(sys.modules, "serving.onnx_backend", raising=False)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)


@pytest.mark.usefixtures("without_onnxruntime")
def test_torch_serves_the_same_folder(bert_artifact: Path) -> None:
    """The label is the one that the Hugging Face model itself gives."""
    model = transformers.BertForSequenceClassification.from_pretrained(bert_artifact).eval()
    with torch.inference_mode():
        own = model(input_ids=torch.tensor([[2, 4, 5, 3]])).logits.softmax(-1)[0]
    prediction = load_predictor(bert_artifact).predict(["good bad", "so"])[0]
    assert prediction.label == model.config.id2label[int(own.argmax())]
    assert prediction.confidence == pytest.approx(float(own.max()), abs=1e-5)


@pytest.mark.usefixtures("without_onnxruntime")
def test_the_fallback_is_said_in_the_log(bert_artifact: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log warns that serving is several times slower."""
    logger = logging.getLogger("serving")
    logger.addHandler(caplog.handler)
    try:
        load_backend(bert_artifact, threads=1)
    finally:
        logger.removeHandler(caplog.handler)
    assert {record.levelname for record in caplog.records} == {"WARNING"}


@pytest.mark.usefixtures("without_onnxruntime")
def test_weights_that_cannot_be_loaded_are_an_artifact_error(bert_artifact: Path, artifact_copy: Path) -> None:
    """A folder without weights is refused with the folder's name."""
    (artifact_copy / "config.json").write_bytes((bert_artifact / "config.json").read_bytes())
    with pytest.raises(ArtifactError, match=str(artifact_copy)):
        load_predictor(artifact_copy)


@pytest.mark.usefixtures("without_onnxruntime")
def test_without_any_library_it_says_what_to_install(tiny_artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without onnxruntime and torch, the error says what to install."""
    monkeypatch.delitem(sys.modules, "serving.torch_backend", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ServingError, match="install onnxruntime"):
        load_predictor(tiny_artifact)
