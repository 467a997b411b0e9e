"""Export the trained PyTorch model to the int8 ONNX model that serves, and check that both agree."""

import copy
import logging
import math
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from datasets import Dataset
from onnx import ModelProto
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from classifier.errors import JobError
from classifier.model.encoding import MODEL_INPUTS, batches
from classifier.onnx_export.calibration import correct_biases, with_static_ranges
from classifier.onnx_export.rewrites import rewritten

OPSET = 17
"""Version of the ONNX operators: the newest that torch's tracing exporter and onnxruntime's fusion both know well."""

MIN_AGREEMENT = 0.95
"""Smallest share of validation rows on which int8 and float32 must give the same label. Measured: 0.987."""

MAX_DIFFERENCE = 1e-2
"""Largest difference of a float32 logit between PyTorch and ONNX, relative to the largest logit. Measured: 1e-6."""

CALIBRATION_TEXTS = 1_000
"""Texts for the calibration: 400 training and 1,000 validation texts gave equally good ranges."""

REHEARSAL_LAYERS, REHEARSAL_WORDS = 2, 1_000
"""Size of the copy that is exported first: two layers show how layers are joined, and most weights of a small model are
its vocabulary."""

_OTHER_BASE = "Take a base model of another architecture, such as distilbert-base-uncased or MiniLM."

_log = logging.getLogger(__name__)


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress the notes of exporter and quantizer, on which the user cannot act."""
    before = logging.root.manager.disable
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(before)


def export_int8(model: PreTrainedModel, target: Path, tokenizer: PreTrainedTokenizerBase, calibration: Dataset) -> None:
    """Write `model` to `target` as an ONNX file with int8 weights, static ranges and corrected biases.

    The weights go into a second file, with `.data` after the name.

    Inputs `input_ids` and `attention_mask`, (batch, tokens) int64; output `logits`, (batch, labels) float32. The answer
    to a text does not depend on the other texts in the batch. If onnxruntime's optimizer recognises the architecture,
    the network is rewritten to be faster (see `classifier.onnx_export.rewrites`).

    `model`: in float32. `calibration`: encoded texts; at most `CALIBRATION_TEXTS` of them are used. Raises JobError:
    the architecture cannot be traced, or the traced model answers differently.
    """
    with tempfile.TemporaryDirectory(prefix="onnx-") as scratch:
        traced, quantized = Path(scratch) / "model.onnx", Path(scratch) / "int8.onnx"
        trace(model, traced)
        faster = _rewrite(model, traced)
        with quiet():
            quantize_dynamic(
                str(faster),
                str(quantized),
                weight_type=QuantType.QInt8,
                per_channel=True,  # a tenth of the wrong labels of one scale a tensor, at the same speed
                reduce_range=True,  # 7 bits: 8 overflow on CPUs without VNNI, and the serving CPU is unknown
                extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},  # fused operators have no shape inference
            )
        step = math.ceil(len(calibration) / CALIBRATION_TEXTS)
        chosen = calibration.select(range(0, len(calibration), step))
        texts = [inputs for _, inputs in batches(tokenizer, chosen, 1)]
        network = with_static_ranges(onnx.load(str(quantized)), texts)
        correct_biases(network, onnx.load(str(faster)), texts)
        _save(network, target)


def agreement(int8: np.ndarray, float32: np.ndarray) -> float:
    """Return the share of rows with the same label, from the answers of both models, (rows,) ids.

    For several labels, (rows, labels) bool, return the share of the given labels that both give: most labels of a text
    are given by neither, which is no sign of agreement.
    """
    if float32.ndim == 1:
        return float(np.mean(int8 == float32))
    given = int(int8.sum()) + int(float32.sum())
    return float(2 * (int8 & float32).sum() / given) if given else 1.0


def check_agreement(int8: np.ndarray, float32: np.ndarray) -> float:
    """Return the agreement of the int8 and the float32 model; raise JobError where it is too small to be published."""
    share = agreement(int8, float32)
    if share < MIN_AGREEMENT:
        raise JobError(
            f"The int8 model gives the label of the float32 model on {share:.1%} of the validation rows; at least "
            f"{MIN_AGREEMENT:.0%} are needed.",
            hint="Nothing was written. Take another base_model, or train longer: labels near the threshold change.",
        )
    return share


def onnx_logits(path: Path, tokenizer: PreTrainedTokenizerBase, encoded: Dataset, batch_size: int) -> np.ndarray:
    """Run the ONNX model at `path`; return logits (rows, labels) float32 in the order of `encoded`."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    logits = np.zeros((len(encoded), session.get_outputs()[0].shape[1]), dtype=np.float32)
    for rows, inputs in batches(tokenizer, encoded, batch_size):
        logits[rows] = session.run(["logits"], inputs)[0]
    return logits


class Logits(torch.nn.Module):
    """A model as a plain function of its two inputs, as tracing needs it."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Map two tensors (batch, tokens) int64 to logits (batch, labels) float32."""
        logits: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits


@quiet()
def trace(model: PreTrainedModel, path: Path) -> None:
    """Write the float32 ONNX model, and check that it answers like PyTorch.

    Raises JobError: the architecture cannot be traced, or the traced model answers differently.
    """
    attention = model.config._attn_implementation
    model.set_attn_implementation("eager")  # the only form that the fusion recognises
    rows = {0: "batch", 1: "tokens"}
    try:
        torch.onnx.export(
            Logits(model).eval(),
            _example(batch=2, tokens=8, padding=3),
            str(path),
            input_names=MODEL_INPUTS,
            output_names=["logits"],
            dynamic_axes={"input_ids": rows, "attention_mask": rows, "logits": {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,  # the fusion recognises the graphs of this exporter
        )
        difference = _difference(model, path)
    except Exception as e:  # torch.onnx and onnxruntime raise many kinds, without a common base
        raise JobError(
            f"{type(model).__name__} cannot be exported as ONNX: {str(e).strip().splitlines()[0]}", hint=_OTHER_BASE
        ) from e
    finally:
        model.set_attn_implementation(attention)
    if difference > MAX_DIFFERENCE:
        raise JobError(
            f"The ONNX form of {type(model).__name__} answers differently from the model itself (by {difference:.3g}).",
            hint=_OTHER_BASE,
        )


def _rewrite(model: PreTrainedModel, traced: Path) -> Path:
    """Write a faster network with the same answers; keep the traced one if the optimizer cannot handle it."""
    path = traced.with_name("faster.onnx")
    try:
        with quiet():
            rewritten(model, traced).save_model_to_file(str(path))
            difference = _difference(model, path)
    except Exception as e:  # the optimizer raises many kinds on graphs it was not made for
        _log.warning("The network is exported without rewrites, which is slower: %s", e)
        return traced
    if difference > MAX_DIFFERENCE:
        _log.warning("The network is exported without rewrites, which is slower: they change it by %.3g", difference)
        return traced
    return path


def _save(network: ModelProto, target: Path) -> None:
    """Write the weights into a file of their own, which onnxruntime maps into memory instead of copying it twice."""
    target.parent.mkdir(parents=True, exist_ok=True)
    weights = target.with_name(f"{target.name}.data")
    weights.unlink(missing_ok=True)  # onnx would append to it
    onnx.save(network, str(target), save_as_external_data=True, location=weights.name)
    weights.chmod(0o644)  # onnx makes it private, and the server runs as another user


def _difference(model: PreTrainedModel, path: Path) -> float:
    """Return the largest difference of a logit between `model` and the float32 ONNX file, relative to the largest.

    The batch size, the length and the padding differ from those of the trace.
    """
    inputs = _example(batch=3, tokens=13, padding=5)
    with torch.inference_mode():
        wanted = Logits(model).eval()(*inputs).numpy()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(["logits"], {name: t.numpy() for name, t in zip(MODEL_INPUTS, inputs, strict=True)})[0]
    return float(np.abs(found - wanted).max()) / max(1.0, float(np.abs(wanted).max()))


def _example(*, batch: int, tokens: int, padding: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Make input ids and an attention mask, each (batch, tokens) int64; the last row ends in `padding`."""
    ids = torch.arange(batch * tokens).reshape(batch, tokens) % 7 + 1
    mask = torch.ones_like(ids)
    mask[-1, -padding:] = 0
    return ids, mask


def rehearse_export(model: PreTrainedModel) -> None:
    """Trace a model like `model`, with fewer layers and words and random weights, in about a second; raise JobError.

    So one that cannot be exported is refused before the training.
    """
    small = _small(model)
    if small is not None:
        with tempfile.TemporaryDirectory(prefix="rehearsal-") as scratch:
            trace(small, Path(scratch) / "model.onnx")


def _small(model: PreTrainedModel) -> PreTrainedModel | None:
    """Make the copy; None where the configuration allows no smaller one: then the real export decides."""
    config = copy.deepcopy(model.config)
    special = [value for name, value in config.to_dict().items() if name.endswith("_token_id") and value is not None]
    try:
        config.num_hidden_layers = min(REHEARSAL_LAYERS, config.num_hidden_layers)
        config.vocab_size = min(max([REHEARSAL_WORDS, *(value + 1 for value in special)]), config.vocab_size)
        if getattr(config, "layer_types", None):  # one for each layer
            config.layer_types = config.layer_types[: config.num_hidden_layers]
        small: PreTrainedModel = type(model)(config)
    except Exception:  # configurations and models raise many kinds
        return None
    small.train(False)
    return small
