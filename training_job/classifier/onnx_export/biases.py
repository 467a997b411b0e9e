"""Biases of an int8 network that take back what quantising shifts on average.

Rounding does not cancel out: on average over texts each output of a product is a little higher or lower than in
float32, and so is all that follows, up to the score. The mean difference is known and a bias can take it, which costs
nothing when the network answers (Nagel et al., "Data-free quantization through weight equalization and bias
correction", 2019, with texts in the place of the norms' statistics).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from classifier.onnx_export.activations import activations

if TYPE_CHECKING:
    from onnx import ModelProto

TEXTS = 250
"""Texts whose means count: with 1,000 the scores are not nearer to float32's. Source: docs/decisions/0007."""

_BIAS = 6
"""Place of the bias among the inputs of a ``MatMulIntegerToFloat``."""


def correct_biases(network: ModelProto, exact: ModelProto, texts: Sequence[Mapping[str, np.ndarray]]) -> None:
    """Changes the biases of ``network`` so that its products have the means they have in ``exact``.

    One product after the other, each with those before it corrected. A product without a bias stays as it is.

    Args:
        network: with integer products, sorted; is changed.
        exact: the same in float32, with the same names.
        texts: inputs of both, (1, tokens) each: padding would count. At most ``TEXTS`` are taken, evenly spaced.
    """
    import onnx
    from onnxruntime.quantization.onnx_model import ONNXModel

    texts = texts[:: -(-len(texts) // TEXTS)]
    given = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in network.graph.initializer}
    known = {name for node in exact.graph.node for name in node.output}
    products = [
        node
        for node in network.graph.node
        if node.op_type == "MatMulIntegerToFloat" and len(node.input) > _BIAS and node.output[0] in known
    ]
    wanted = means(exact, [node.output[0] for node in products], texts)
    for node in products:
        result = node.output[0]
        bias = given[node.input[_BIAS]] + wanted[result] - means(network, [result], texts)[result]
        node.input[_BIAS] = f"{result}_bias"  # of its own: layers may share theirs
        network.graph.initializer.append(onnx.numpy_helper.from_array(bias.astype(np.float32), node.input[_BIAS]))
    ONNXModel(network).clean_initializers()  # the biases before


def means(
    network: ModelProto, names: Sequence[str], texts: Sequence[Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Mean of each tensor over all tokens of all texts, (outputs,) float64."""
    totals: list[np.ndarray] | None = None
    tokens = np.zeros(len(names))
    for values in activations(network, names, texts):
        by_token = [value.reshape(-1, value.shape[-1]) for value in values]
        sums = [rows.sum(axis=0, dtype=np.float64) for rows in by_token]
        totals = sums if totals is None else [total + more for total, more in zip(totals, sums, strict=True)]
        tokens += [len(rows) for rows in by_token]
    return {name: total / count for name, total, count in zip(names, totals or [], tokens, strict=True)}
