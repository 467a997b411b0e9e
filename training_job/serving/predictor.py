"""From texts to labels: the only module that interprets the model's logits."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from serving.errors import ArtifactError, ServingError
from serving.model_config import ModelConfig
from serving.text_encoder import TextEncoder

if TYPE_CHECKING:
    from serving.onnx_backend import OnnxBackend
    from serving.torch_backend import TorchBackend

logger = logging.getLogger("serving")

DECIMALS = 6
"""Decimals of confidence and score: further ones are beyond float32's precision."""

FEW_LABELS = 16
"""Up to so many labels the softmax is computed in plain floats: for two, numpy's calls take five times as long."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one text."""

    label: str
    """The most probable label."""
    confidence: float
    """Probability of `label` in [0, 1]."""
    score: float | None
    """The predicted score on the scale of the training data; None if the model learned labels."""
    truncated: bool
    """Whether the text was too long for the model, so that its end (or its beginning) was ignored."""
    labels: tuple[str, ...] | None = None
    """The given labels, most probable first, maybe none; None for a model that gives exactly one label a text."""
    scores: tuple[tuple[str, float], ...] | None = None
    """The most probable labels with their probabilities, most probable first; None if the request asked for none."""

    def as_dict(self) -> dict[str, Any]:
        """Return the prediction as in the answer."""
        answer: dict[str, Any] = {
            "label": self.label,
            "confidence": self.confidence,
            "score": self.score,
            "truncated": self.truncated,
        }
        if self.labels is not None:
            answer["labels"] = self.labels
        if self.scores is not None:
            answer["scores"] = [{"label": label, "confidence": confidence} for label, confidence in self.scores]
        return answer


class Predictor:
    """A loaded model. It is thread-safe."""

    def __init__(self, config: ModelConfig, encoder: TextEncoder, backend: OnnxBackend | TorchBackend) -> None:
        self.config = config
        self.backend = backend
        self._encoder = encoder
        self._thresholds = np.array(config.label_thresholds) if config.objective == "multilabel" else None

    def predict(self, texts: Sequence[str], top_k: Sequence[int | None] = ()) -> list[Prediction]:
        """Return one prediction a text, in order. Raises ServingError if the network's answer is not usable.

        `top_k` has the number of `scores` for each text: 0 for none, None for all labels; empty for none at all.
        """
        encodings = self._encoder.encode(texts)
        predictions: list[Any] = [None] * len(texts)
        for batch in self._encoder.batches(encodings, self.backend.features):
            logits = self.backend.logits(batch.features)
            expected = (len(batch.positions), len(self.config.labels))
            if logits.shape != expected:
                raise ServingError(f"the network answered with shape {logits.shape} instead of {expected}")
            for position, (probabilities, score, given) in zip(batch.positions, self._read(logits), strict=True):
                truncated = bool(encodings[position].overflowing)
                top = top_k[position] if top_k else 0
                predictions[position] = self._prediction(probabilities, score, given, truncated, top)
        return predictions

    def _read(self, logits: NDArray[np.float32]) -> Iterator[tuple[list[float], float | None, list[int] | None]]:
        """Yield the probability of each label, the score and the ids of the given labels for each row of `logits`."""
        if self._thresholds is not None:
            probabilities = 1 / (1 + np.exp(-np.maximum(_finite(logits), -700)))  # exp(710) is infinite
            given = probabilities >= self._thresholds
            for row, marks in zip(probabilities.tolist(), given, strict=True):
                yield row, None, np.flatnonzero(marks).tolist()
        elif len(self.config.labels) > FEW_LABELS:
            powers = _finite(logits)
            powers = np.exp(powers - powers.max(axis=1, keepdims=True))
            for row in (powers / powers.sum(axis=1, keepdims=True)).tolist():
                yield row, None, None
        else:
            for row in logits.tolist():
                if not math.isfinite(sum(row)):
                    raise ServingError(_NOT_FINITE)
                yield _softmax(row), self._score(row), None

    def _score(self, logits: list[float]) -> float | None:
        if self.config.objective != "regression":
            return None
        # Training exports [0, a * (s - t)] for the predicted score s; this is the formula solved for s.
        return round(self.config.score_threshold + (logits[1] - logits[0]) / self.config.score_scale, DECIMALS)

    def _prediction(
        self, probabilities: list[float], score: float | None, given: list[int] | None, truncated: bool, top: int | None
    ) -> Prediction:
        names = self.config.labels
        confidence = max(probabilities)
        labels = scores = None
        if given is not None:
            labels = tuple(names[label] for label in sorted(given, key=probabilities.__getitem__, reverse=True))
        if top != 0:
            order = sorted(range(len(names)), key=probabilities.__getitem__, reverse=True)[:top]
            scores = tuple((names[label], round(probabilities[label], DECIMALS)) for label in order)
        label = names[probabilities.index(confidence)]
        return Prediction(label, round(confidence, DECIMALS), score, truncated, labels, scores)


_NOT_FINITE = "the network answered with a value that is not a finite number"


def _softmax(logits: list[float]) -> list[float]:
    largest = max(logits)
    powers = [math.exp(logit - largest) for logit in logits]
    total = sum(powers)
    return [power / total for power in powers]


def _finite(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the logits in double precision, as plain floats are."""
    wide = logits.astype(np.float64)
    if not math.isfinite(wide.sum()):
        raise ServingError(_NOT_FINITE)
    return wide


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
