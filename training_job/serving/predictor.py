"""From texts to labels: the only module that interprets the model's logits."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.errors import ArtifactError, ServingError
from serving.model_config import ModelConfig
from serving.text_encoder import TextEncoder

if TYPE_CHECKING:
    from serving.onnx_backend import OnnxBackend
    from serving.torch_backend import TorchBackend

logger = logging.getLogger("serving")

DECIMALS = 6
"""Decimals of confidence and score: further ones are beyond float32's precision."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one text."""

    label: str
    confidence: float
    """Probability of `label` in [0, 1]."""
    score: float | None
    """The predicted score on the scale of the training data; None if the model learned labels."""
    truncated: bool
    """Whether the text was too long for the model, so that its end was ignored."""

    def as_dict(self) -> dict[str, Any]:
        """Return the prediction as in the answer."""
        return {"label": self.label, "confidence": self.confidence, "score": self.score, "truncated": self.truncated}


class Predictor:
    """A loaded model. It is thread-safe."""

    def __init__(self, config: ModelConfig, encoder: TextEncoder, backend: OnnxBackend | TorchBackend) -> None:
        self.config = config
        self.backend = backend
        self._encoder = encoder

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return one prediction a text, in order. Raises ServingError if the network's answer is not usable."""
        encodings = self._encoder.encode(texts)
        predictions: list[Any] = [None] * len(texts)
        for batch in self._encoder.batches(encodings, self.backend.features):
            answer = self.backend.logits(batch.features)
            expected = (len(batch.positions), len(self.config.labels))
            if answer.shape != expected:
                raise ServingError(f"the network answered with shape {answer.shape} instead of {expected}")
            for position, logits in zip(batch.positions, answer.tolist(), strict=True):
                predictions[position] = self._read(logits, bool(encodings[position].overflowing))
        return predictions

    def _read(self, logits: list[float], truncated: bool) -> Prediction:
        # Plain floats: for a single text numpy's calls take four times as long.
        if not all(map(math.isfinite, logits)):
            raise ServingError("the network answered with a value that is not a finite number")
        largest = max(logits)
        confidence = 1 / sum(math.exp(logit - largest) for logit in logits)
        score = None
        if self.config.objective == "regression":
            # Training exports [0, a * (s - t)] for the predicted score s; this is the formula solved for s.
            score = round(self.config.score_threshold + (logits[1] - logits[0]) / self.config.score_scale, DECIMALS)
        return Prediction(self.config.labels[logits.index(largest)], round(confidence, DECIMALS), score, truncated)


def load_predictor(model_dir: Path | str, *, threads: int = 1) -> Predictor:
    """Load the artifact in `model_dir` and make one prediction to check that it works.

    `threads` is the number of cores that a forward pass may use. Raises ArtifactError naming the file, or ServingError
    if neither onnxruntime nor torch is installed.
    """
    folder = Path(model_dir)
    config = ModelConfig.read(folder)
    encoder = TextEncoder.read(
        folder,
        max_length=config.max_length,
        pad_token_id=config.pad_token_id,
        truncation_side=config.truncation_side,
    )
    predictor = Predictor(config, encoder, load_backend(folder, threads=threads))
    try:
        predictor.predict(["The model answers once before it takes requests."])
    except Exception as error:  # libraries raise many kinds; all mean that this artifact cannot serve
        raise ArtifactError(predictor.backend.path, f"loaded, but failed on a first sentence ({error})") from error
    return predictor


def load_backend(model_dir: Path, *, threads: int) -> OnnxBackend | TorchBackend:
    """Load the int8 network into onnxruntime or, if that is not installed, the float32 one into torch."""
    try:
        from serving.onnx_backend import OnnxBackend
    except ImportError as missing_onnxruntime:
        logger.warning(
            "onnxruntime cannot be imported: serving with torch, which is several times slower",
            extra={"facts": {"reason": str(missing_onnxruntime)}},
        )
        try:
            from serving.torch_backend import TorchBackend
        except ImportError as missing_torch:
            raise ServingError(
                f"neither onnxruntime ({missing_onnxruntime}) nor torch with transformers ({missing_torch}) "
                "can be imported: install onnxruntime"
            ) from missing_torch
        return TorchBackend(model_dir, threads=threads)
    return OnnxBackend(model_dir, threads=threads)
