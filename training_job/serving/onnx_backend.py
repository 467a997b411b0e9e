"""Run `onnx/model_int8.onnx` in ONNX Runtime."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# On import the library would write a device id into the home directory and report its use to its maker.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

from serving.errors import ArtifactError
from serving.text_encoder import FEATURES

MODEL_FILE = Path("onnx") / "model_int8.onnx"
"""Path of the network in the artifact."""


class OnnxBackend:
    """The int8 network; ONNX Runtime allows concurrent calls."""

    name = f"onnxruntime {onnxruntime.__version__}"

    def __init__(self, model_dir: Path, *, threads: int) -> None:
        self.path = model_dir / MODEL_FILE
        if not self.path.is_file():
            raise ArtifactError(self.path, "the file is missing")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        try:
            self._session = onnxruntime.InferenceSession(
                str(self.path), sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the library's errors have no other common base
            weights = self.path.with_name(f"{self.path.name}.data")  # mapped into memory, not read
            beside = f", or {weights.name} beside it" if weights.is_file() else ""
            raise ArtifactError(self.path, f"cannot be loaded{beside} ({error})") from error
        self.features: list[str] = [node.name for node in self._session.get_inputs()]
        unknown = sorted(set(self.features) - set(FEATURES))
        if unknown:
            raise ArtifactError(self.path, f"has inputs {unknown}, expected only {', '.join(FEATURES)}")
        self._output = self._session.get_outputs()[0].name

    def logits(self, features: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        """Map features, (batch, tokens) int64, to logits, (batch, labels) float32."""
        return np.asarray(self._session.run([self._output], dict(features))[0], dtype=np.float32)
