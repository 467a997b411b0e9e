"""Run the artifact's Hugging Face files in torch, if onnxruntime is not installed."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification

from serving.errors import ArtifactError


class TorchBackend:
    """The float32 network on the CPU."""

    name = f"torch {torch.__version__}"

    def __init__(self, model_dir: Path, *, threads: int) -> None:
        self.path = model_dir
        torch.set_num_threads(threads)
        try:
            self._model = AutoModelForSequenceClassification.from_pretrained(model_dir, local_files_only=True).eval()
        except Exception as error:  # libraries raise many kinds for a truncated weight file
            raise ArtifactError(model_dir, f"cannot be loaded by transformers ({error})") from error
        # The inputs of the training. Token types are not among them, and some models change their answer by type 0.
        self.features = ["input_ids", "attention_mask"]

    def logits(self, features: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        """Map features, (batch, tokens) int64, to logits, (batch, labels) float32."""
        with torch.inference_mode():
            answer = self._model(**{name: torch.from_numpy(array) for name, array in features.items()}).logits
        logits: NDArray[np.float32] = answer.to(torch.float32).numpy()
        return logits
