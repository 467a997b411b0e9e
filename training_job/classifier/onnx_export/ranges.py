"""Fixed ranges for the numbers that an int8 network computes with, found on the validation texts.

A dynamically quantised network looks for the smallest and the largest number of every layer in each batch, so that the
answer to a text depends on the texts beside it. With fixed ranges it does not, and there is less to compute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from classifier.onnx_export.activations import activations

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

LEVELS = 255
"""Steps between the smallest and the largest number of an unsigned byte."""

_CONTRIB = "com.microsoft"


def with_fixed_ranges(network: ModelProto, texts: Sequence[Mapping[str, np.ndarray]]) -> ModelProto:
    """``network`` with the ranges that its layers take on ``texts``, and one operator for each integer product.

    Args:
        network: as ``quantize_dynamic`` makes it; is changed.
        texts: inputs of the network, (1, tokens) each: padding would count.
    """
    import onnx
    from onnxruntime.quantization.onnx_model import ONNXModel

    found = ranges(network, texts)
    for node in [node for node in network.graph.node if node.op_type == "DynamicQuantizeLinear"]:
        number, scale, zero = node.output
        low, high = found[node.input[0]]
        step = (high - low) / LEVELS or 1.0
        point = np.array(round(-low / step), dtype=np.uint8)
        network.graph.initializer.append(onnx.numpy_helper.from_array(np.array(step, dtype=np.float32), scale))
        network.graph.initializer.append(onnx.numpy_helper.from_array(point, zero))
        quantize = onnx.helper.make_node("QuantizeLinear", [node.input[0], scale, zero], [number], name=node.name)
        network.graph.node.remove(node)
        network.graph.node.append(quantize)
    _fuse_products(network)
    sorter = ONNXModel(network)
    sorter.topological_sort()
    sorter.clean_initializers()
    return sorter.model


def ranges(network: ModelProto, texts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, tuple[float, float]]:
    """Smallest and largest number of each tensor that ``network`` quantises; zero is always between them."""
    names = sorted({node.input[0] for node in network.graph.node if node.op_type == "DynamicQuantizeLinear"})
    low, high = np.zeros(len(names)), np.zeros(len(names))
    for values in activations(network, names, texts):
        low = np.minimum(low, [value.min() for value in values])
        high = np.maximum(high, [value.max() for value in values])
    return {name: (float(low[place]), float(high[place])) for place, name in enumerate(names)}


def _fuse_products(network: ModelProto) -> None:
    """Makes one operator of each integer product, its scaling and its bias, as onnxruntime does for dynamic ranges."""
    import onnx

    graph = network.graph
    zeros = {
        t.name for t in graph.initializer if t.name.endswith("_zero_point") and not onnx.numpy_helper.to_array(t).any()
    }
    biases = {tensor.name for tensor in graph.initializer if len(tensor.dims) == 1}
    makers = {name: node for node in graph.node for name in node.output}
    readers: dict[str, list[NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    for node in [node for node in graph.node if node.op_type == "MatMulInteger"]:
        cast = readers[node.output[0]][0]
        scaled = readers[cast.output[0]][0]
        scales = makers[next(name for name in scaled.input if name != cast.output[0])]
        numbers, weights, number_zero, weight_zero = node.input
        # Without zero points of the weights, where all are 0, the product has one thing less to look at in each column.
        zero = "" if weight_zero in zeros else weight_zero
        inputs, result = [numbers, weights, *scales.input, number_zero, zero], scaled.output[0]
        replaced = [node, cast, scaled, scales]
        following = readers.get(result, [])
        if [reader.op_type for reader in following] == ["Add"]:
            bias = next(name for name in following[0].input if name != result)
            if bias in biases:
                inputs.append(bias)
                replaced.append(following[0])
                result = following[0].output[0]
        product = onnx.helper.make_node("MatMulIntegerToFloat", inputs, [result], name=node.name, domain=_CONTRIB)
        for old in replaced:
            graph.node.remove(old)
        graph.node.append(product)
    if _CONTRIB not in {opset.domain for opset in network.opset_import}:
        network.opset_import.append(onnx.helper.make_opsetid(_CONTRIB, 1))
