"""What a network computes on the way to its answer, text by text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnx import ModelProto


def activations(
    network: ModelProto, names: Sequence[str], texts: Iterable[Mapping[str, np.ndarray]]
) -> Iterator[list[np.ndarray]]:
    """The tensors ``names`` of ``network`` for each text.

    Args:
        network: stays as it is.
        names: of float32 tensors inside it.
        texts: inputs of the network.

    Yields:
        One array a name, in whichever shape the network computes with.
    """
    import onnx
    import onnxruntime

    if not names:
        return
    watched = onnx.ModelProto()
    watched.CopyFrom(network)
    del watched.graph.output[:]
    for name in names:
        watched.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # what lies behind the last of the tensors is left out, and named as a warning
    session = onnxruntime.InferenceSession(
        watched.SerializeToString(), sess_options=options, providers=["CPUExecutionProvider"]
    )
    for inputs in texts:
        yield session.run(list(names), dict(inputs))
