"""From a PyTorch model to the int8 network: faster, the same answers, and none that depends on its neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = {"vocab_size": 40, "max_position_embeddings": 64}


def _bert() -> Any:
    from transformers import BertConfig, BertForSequenceClassification

    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    return BertForSequenceClassification(BertConfig(**SMALL, **shape))


def _distilbert() -> Any:
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    return DistilBertForSequenceClassification(DistilBertConfig(**SMALL, dim=32, n_layers=2, n_heads=2, hidden_dim=64))


@pytest.fixture(scope="module", params=[_bert, _distilbert], ids=["bert", "distilbert"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A model with random weights, and its int8 network."""
    import torch
    from classifier.export import export_int8
    from datasets import Dataset
    from transformers import PreTrainedTokenizerFast

    torch.manual_seed(0)
    model = request.param().eval()
    rng = np.random.default_rng(0)
    ids = [rng.integers(5, 40, length).tolist() for length in rng.integers(3, 20, 60)]
    rows = {"input_ids": ids, "attention_mask": [[1] * len(row) for row in ids], "length": [len(row) for row in ids]}
    path = tmp_path_factory.mktemp("onnx") / "int8.onnx"
    export_int8(model, path, _tokenizer(PreTrainedTokenizerFast), Dataset.from_dict(rows))
    return model, path


def _tokenizer(kind: Any) -> Any:
    from tokenizers import Tokenizer, models

    return kind(tokenizer_object=Tokenizer(models.WordLevel({"[PAD]": 0}, unk_token="[PAD]")), pad_token="[PAD]")


def _operators(path: Path) -> list[str]:
    import onnx

    return [node.op_type for node in onnx.load(str(path)).graph.node]


def _answers(path: Path, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0]


def test_the_network_is_fused_and_rewritten(exported: tuple[Any, Path]) -> None:
    """Attention in one operator a layer, no slow layer norm, and nothing that looks for ranges while it serves."""
    found = _operators(exported[1])
    assert found.count("QAttention") == 2
    assert found.count("Gelu") == 2
    assert not {"LayerNormalization", "SkipLayerNormalization", "DynamicQuantizeLinear", "MatMulInteger"} & {*found}


def test_what_follows_the_last_attention_is_computed_for_one_token(exported: tuple[Any, Path]) -> None:
    """The first token is selected from the last attention and from the residual beside it."""
    import onnx

    nodes = onnx.load(str(exported[1])).graph.node
    selected = [node.input[0] for node in nodes if node.op_type == "Gather" and node.input[1] == "first_token"]
    assert len(selected) == 2
    assert {node.op_type for node in nodes if node.output[0] in selected} == {"QAttention", "Add"}


def test_it_answers_as_pytorch(exported: tuple[Any, Path]) -> None:
    """Within what 7 bits cost, on a batch with padding."""
    import torch

    ids = np.random.default_rng(1).integers(5, 40, (6, 12))
    mask = np.ones_like(ids)
    mask[::2, 7:] = 0
    with torch.inference_mode():
        wanted = exported[0](input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits.numpy()
    assert _answers(exported[1], ids, mask) == pytest.approx(wanted, abs=0.02)


def test_an_answer_does_not_depend_on_its_neighbours(exported: tuple[Any, Path]) -> None:
    """A text alone is answered as it is in a batch, to the last digits of a float."""
    ids = np.random.default_rng(2).integers(5, 40, (8, 9))
    mask = np.ones_like(ids)
    together = _answers(exported[1], ids, mask)
    alone = np.concatenate([_answers(exported[1], ids[[row]], mask[[row]]) for row in range(8)])
    assert together == pytest.approx(alone, abs=1e-5)


def test_a_network_that_cannot_be_rewritten_is_exported_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the optimizer the int8 network is slower, the log says so, and the ranges are fixed all the same."""
    import sys

    from classifier.export import export_int8
    from datasets import Dataset
    from transformers import PreTrainedTokenizerFast

    monkeypatch.setitem(sys.modules, "onnxruntime.transformers", None)
    rows = {"input_ids": [[5, 6, 7]] * 4, "attention_mask": [[1, 1, 1]] * 4, "length": [3] * 4}
    export_int8(_bert(), tmp_path / "int8.onnx", _tokenizer(PreTrainedTokenizerFast), Dataset.from_dict(rows))
    assert "which is slower" in caplog.text
    found = _operators(tmp_path / "int8.onnx")
    assert "MatMulIntegerToFloat" in found and "QAttention" not in found and "DynamicQuantizeLinear" not in found
