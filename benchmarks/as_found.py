"""The peer of our int8 network: the same model as onnxruntime's own tools make it, without anything of ours."""

from __future__ import annotations

import logging
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

NETWORK = Path("onnx") / "model_int8.onnx"


def artifact_as_found(model: Any, artifact: Path, target: Path, *, fused: bool) -> Path:
    """Writes a copy of ``artifact`` to ``target`` whose network is `torch.onnx.export` and `quantize_dynamic` alone.

    Args:
        model: the float32 model of the artifact, with attention written out ("eager"), which the optimizer needs.
        artifact: folder of a trained model.
        target: a new folder.
        fused: whether onnxruntime's transformer optimizer fuses attention, layer norms and GELU in between.
    """
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers.optimizer import optimize_model

    shutil.copytree(artifact, target, ignore=shutil.ignore_patterns("code", "*.safetensors", f"{NETWORK.name}*"))
    names = ["input_ids", "attention_mask"]
    rows = {0: "batch", 1: "tokens"}
    ones = torch.ones((2, 8), dtype=torch.int64)
    before = logging.root.manager.disable
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            exported, ready = Path(scratch) / "model.onnx", Path(scratch) / "ready.onnx"
            torch.onnx.export(
                _logits_of(model),
                (ones, ones),
                str(exported),
                input_names=names,
                output_names=["logits"],
                dynamic_axes={**dict.fromkeys(names, rows), "logits": {0: "batch"}},
                dynamo=False,
            )
            if fused:
                shape = {"num_heads": model.config.num_attention_heads, "hidden_size": model.config.hidden_size}
                optimize_model(str(exported), model_type="bert", **shape).save_model_to_file(str(ready))
            else:
                ready = exported
            # Operators of the optimizer have no shape inference: their type has to be said.
            quantize_dynamic(
                ready, target / NETWORK, weight_type=QuantType.QInt8, extra_options={"DefaultTensorType": 1}
            )
        finally:
            logging.disable(before)
    return target


def _logits_of(model: Any) -> Any:
    """``model`` as a module of two inputs and one output, which is what tracing needs."""
    import torch

    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model.eval()

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
            return self.model(input_ids=input_ids, attention_mask=attention_mask).logits

    return Logits()
