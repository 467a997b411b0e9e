"""The peer of our int8 network: the same model as onnxruntime's own tools make it, without our rewrites and ranges."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from serving.onnx_backend import MODEL_FILE

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def artifact_as_found(model: PreTrainedModel, artifact: Path, target: Path, *, fused: bool) -> Path:
    """Write a copy of `artifact` to `target` whose network is `torch.onnx.export` and `quantize_dynamic` alone.

    `model` is the artifact's in float32, with attention written out ("eager"), which the optimizer needs. `fused`:
    whether onnxruntime's transformer optimizer fuses attention, layer norms and GELU in between.
    """
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers.optimizer import optimize_model

    from classifier.onnx_export.export import Logits, quiet

    shutil.copytree(artifact, target, ignore=shutil.ignore_patterns("code", "*.safetensors", f"{MODEL_FILE.name}*"))
    names = ["input_ids", "attention_mask"]
    rows = {0: "batch", 1: "tokens"}
    ones = torch.ones((2, 8), dtype=torch.int64)
    with tempfile.TemporaryDirectory() as scratch, quiet():
        exported, ready = Path(scratch) / "model.onnx", Path(scratch) / "ready.onnx"
        torch.onnx.export(
            Logits(model).eval(),
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
        options = {"DefaultTensorType": 1}
        quantize_dynamic(ready, target / MODEL_FILE, weight_type=QuantType.QInt8, extra_options=options)
    return target
