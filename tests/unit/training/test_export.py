"""From a PyTorch model to the int8 network: faster, the same answers, independent of other texts in the batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("one_thread")]
SMALL = {"vocab_size": 40, "max_position_embeddings": 64}


def _bert() -> Any:
    from transformers import BertConfig, BertForSequenceClassification

    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    return BertForSequenceClassification(BertConfig(**SMALL, **shape))


def _distilbert() -> Any:
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    return DistilBertForSequenceClassification(DistilBertConfig(**SMALL, dim=32, n_layers=2, n_heads=2, hidden_dim=64))


def _roberta() -> Any:
    from transformers import RobertaConfig, RobertaForSequenceClassification

    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    return RobertaForSequenceClassification(RobertaConfig(**SMALL, **shape, pad_token_id=0))


def _mean_of_tokens() -> Any:
    """A BERT whose head reads every token."""
    import torch

    class Mean(torch.nn.Module):
        def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
            return hidden_states.mean(dim=1)

    model = _bert()
    model.bert.pooler = Mean()
    return model


@pytest.fixture(scope="module", params=[_bert, _distilbert, _roberta], ids=["bert", "distilbert", "roberta"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A model with random weights, and its int8 network."""
    import torch

    torch.manual_seed(0)
    model = request.param().eval()
    path = tmp_path_factory.mktemp("onnx") / "int8.onnx"
    _export(model, path)
    return model, path


def _export(model: Any, path: Path) -> None:
    """Write the int8 network of `model`, with ranges from 60 texts of random numbers."""
    from datasets import Dataset
    from transformers import PreTrainedTokenizerFast

    from classifier.onnx_export.export import export_int8

    rng = np.random.default_rng(0)
    ids = [rng.integers(5, 40, length).tolist() for length in rng.integers(3, 20, 60)]
    rows = {"input_ids": ids, "attention_mask": [[1] * len(row) for row in ids], "length": [len(row) for row in ids]}
    export_int8(model, path, _tokenizer(PreTrainedTokenizerFast), Dataset.from_dict(rows))


def _tokenizer(kind: Any) -> Any:
    from tokenizers import Tokenizer, models

    return kind(tokenizer_object=Tokenizer(models.WordLevel({"[PAD]": 0}, unk_token="[PAD]")), pad_token="[PAD]")


def _operators(path: Path) -> list[str]:
    import onnx

    return [node.op_type for node in onnx.load(str(path), load_external_data=False).graph.node]


def _answers(path: Path, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0]


def test_the_network_is_fused_and_rewritten(exported: tuple[Any, Path]) -> None:
    """Each layer has two products of the heads for attention, and nothing measures ranges while serving."""
    found = _operators(exported[1])
    assert found.count("FusedMatMul") == 4
    assert found.count("Gelu") == 2
    assert not {"QAttention", "Attention", "DynamicQuantizeLinear", "MatMulInteger"} & {*found}


def test_onnxruntime_does_not_make_the_slow_layer_norm_of_it(exported: tuple[Any, Path], tmp_path: Path) -> None:
    """Residual and norm stay apart in the network that onnxruntime makes of the file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath, options.log_severity_level = str(tmp_path / "loaded.onnx"), 3
    onnxruntime.InferenceSession(str(exported[1]), sess_options=options, providers=["CPUExecutionProvider"])
    found = _operators(tmp_path / "loaded.onnx")
    assert found.count("LayerNormalization") == 5
    assert not [name for name in found if name.startswith("Skip")]


def test_no_product_has_zero_points_of_its_weights(exported: tuple[Any, Path]) -> None:
    """They are 0, and a product with explicit zero points is slower."""
    import onnx

    nodes = onnx.load(str(exported[1])).graph.node
    assert {node.input[5] for node in nodes if node.op_type == "MatMulIntegerToFloat"} == {""}


def test_what_follows_the_last_attention_is_computed_for_one_token(exported: tuple[Any, Path]) -> None:
    """The first token is selected from the queries of the last attention and from the residual beside it."""
    import onnx

    nodes = onnx.load(str(exported[1])).graph.node
    selected = [node.input[0] for node in nodes if node.op_type == "Gather" and node.input[1] == "first_token"]
    assert len(selected) == 2
    assert {node.op_type for node in nodes if {*node.output} & {*selected}} == {"Split", "LayerNormalization"}


@pytest.mark.parametrize("padded", [slice(7, None), slice(0, 5)], ids=["right", "left"])
def test_it_answers_as_pytorch(exported: tuple[Any, Path], padded: slice) -> None:
    """It agrees within the precision of 7 bits, on a batch with padding on either side."""
    ids = np.random.default_rng(1).integers(5, 40, (6, 12))
    mask = np.ones_like(ids)
    mask[::2, padded] = 0
    assert _answers(exported[1], ids, mask) == pytest.approx(_wanted(exported[0], ids, mask), abs=0.02)


def _wanted(model: Any, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
    import torch

    with torch.inference_mode():
        return model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits.numpy()


def test_where_the_head_reads_every_token_attention_stays_one_operator(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The tokens become the first axis only if the head selects the first one; the answers are right in both cases."""
    import torch

    torch.manual_seed(0)
    model = _mean_of_tokens().eval()
    _export(model, tmp_path / "int8.onnx")
    found = _operators(tmp_path / "int8.onnx")
    assert found.count("QAttention") == 2 and "FusedMatMul" not in found and not caplog.text
    ids = np.random.default_rng(1).integers(5, 40, (6, 12))
    mask = np.ones_like(ids)
    mask[::2, 7:] = 0
    assert _answers(tmp_path / "int8.onnx", ids, mask) == pytest.approx(_wanted(model, ids, mask), abs=0.02)


@pytest.mark.parametrize("make", [_bert, _distilbert, _roberta], ids=["bert", "distilbert", "roberta"])
def test_the_rewrites_change_no_answer(make: Any, tmp_path: Path) -> None:
    """In float32 the rewritten network answers as PyTorch does, to the last digits, padded on either side or not."""
    import torch

    from classifier.onnx_export.export import quiet, trace
    from classifier.onnx_export.rewrites import rewritten

    torch.manual_seed(0)
    model = make().eval()
    for name, weights in model.named_parameters():
        if weights.ndim == 1:  # biases are 0 and norms 1 in a new model, which would hide what is lost of them
            torch.nn.init.normal_(weights, mean=float("norm" in name.lower() and "weight" in name), std=0.3)
    with quiet():
        trace(model, tmp_path / "traced.onnx")
    rewritten(model, tmp_path / "traced.onnx").save_model_to_file(str(tmp_path / "faster.onnx"))
    ids = np.random.default_rng(3).integers(5, 40, (6, 12))
    mask = np.ones_like(ids)
    mask[0, 7:], mask[1, :5] = 0, 0
    assert _answers(tmp_path / "faster.onnx", ids, mask) == pytest.approx(_wanted(model, ids, mask), abs=1e-5)


def test_an_answer_does_not_depend_on_its_neighbours(exported: tuple[Any, Path]) -> None:
    """A text gets the same answer alone and in a batch, to the last digits of a float."""
    ids = np.random.default_rng(2).integers(5, 40, (8, 9))
    mask = np.ones_like(ids)
    together = _answers(exported[1], ids, mask)
    alone = np.concatenate([_answers(exported[1], ids[[row]], mask[[row]]) for row in range(8)])
    assert together == pytest.approx(alone, abs=1e-5)


def test_a_network_that_cannot_be_rewritten_is_exported_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the optimizer the int8 network is slower, the log says so, and the ranges are still static."""
    import sys

    from datasets import Dataset
    from transformers import PreTrainedTokenizerFast

    from classifier.onnx_export.export import export_int8

    monkeypatch.setitem(sys.modules, "onnxruntime.transformers", None)
    rows = {"input_ids": [[5, 6, 7]] * 4, "attention_mask": [[1, 1, 1]] * 4, "length": [3] * 4}
    export_int8(_bert(), tmp_path / "int8.onnx", _tokenizer(PreTrainedTokenizerFast), Dataset.from_dict(rows))
    assert "which is slower" in caplog.text
    found = _operators(tmp_path / "int8.onnx")
    assert "MatMulIntegerToFloat" in found and "QAttention" not in found and "DynamicQuantizeLinear" not in found


def test_an_int8_network_with_other_labels_is_refused() -> None:
    """One label of twenty may differ, two may not; the message says how many agree."""
    from classifier.errors import JobError
    from classifier.onnx_export.export import check_agreement

    float32 = np.ones(20, dtype=int)
    int8 = float32.copy()
    int8[0] = 0
    assert check_agreement(int8, float32) == 0.95
    int8[1] = 0
    with pytest.raises(JobError, match=r"on 90\.0% of the validation rows; at least 95% are needed"):
        check_agreement(int8, float32)


def test_labels_that_neither_gives_are_no_agreement() -> None:
    """Of several labels, those given by both count among all that are given."""
    from classifier.onnx_export.export import agreement

    float32 = np.zeros((10, 20), dtype=bool)
    assert agreement(float32, float32) == 1.0
    float32[:, 0] = True
    int8 = float32.copy()
    int8[:5, 0] = False
    assert agreement(int8, float32) == pytest.approx(2 * 5 / 15)
