"""Calibrate an int8 network on texts: static activation ranges, and biases that offset the rounding.

A dynamically quantised network measures the range of every activation in each batch, so that the answer to a text
depends on the other texts in the batch. With static ranges it does not, and there is less to compute.

Rounding does not cancel out: averaged over texts, each output of a matrix product is a little higher or lower than in
float32, and so is everything after it, up to the score. The mean difference is known, and a bias can take it at no cost
(Nagel et al., "Data-free quantization through weight equalization and bias correction", 2019, with texts in place of
the norms' statistics).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto, NodeProto
from onnxruntime.quantization.onnx_model import ONNXModel

Texts = Sequence[Mapping[str, np.ndarray]]
"""Inputs of a network, (1, tokens) each: padding would count."""

LEVELS = 255
"""Steps between the smallest and the largest value of an unsigned byte."""

BIAS_TEXTS = 250
"""Texts to average over: with 1,000 the scores are not nearer to float32's. Source: docs/decisions/0007."""

_BIAS = 6
"""Position of the bias among the inputs of a `MatMulIntegerToFloat`."""

_CONTRIB = "com.microsoft"


def with_static_ranges(network: ModelProto, texts: Texts) -> ModelProto:
    """Fix the activation ranges to those on `texts`, and fuse each integer product with its scaling and bias.

    `network`: from `quantize_dynamic`; it is modified.
    """
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
    calibrated: ModelProto = sorter.model
    return calibrated


def correct_biases(network: ModelProto, exact: ModelProto, texts: Texts) -> None:
    """Change the biases of `network` so that its products have the same means as in `exact`.

    The products are corrected in order, each with those before it corrected. A product without a bias is left alone.

    `network`: with integer products, sorted; it is modified. `exact`: the same in float32, with the same names.
    `texts`: at most `BIAS_TEXTS` of them are used, evenly spaced.
    """
    texts = texts[:: -(-len(texts) // BIAS_TEXTS)]
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
        node.input[_BIAS] = f"{result}_bias"  # a bias of its own: layers may share theirs
        network.graph.initializer.append(onnx.numpy_helper.from_array(bias.astype(np.float32), node.input[_BIAS]))
    ONNXModel(network).clean_initializers()  # remove the previous biases


def ranges(network: ModelProto, texts: Texts) -> dict[str, tuple[float, float]]:
    """Measure the smallest and largest value, always including 0, of each tensor that `network` quantises."""
    names = sorted({node.input[0] for node in network.graph.node if node.op_type == "DynamicQuantizeLinear"})
    low, high = np.zeros(len(names)), np.zeros(len(names))
    for values in activations(network, names, texts):
        low = np.minimum(low, [value.min() for value in values])
        high = np.maximum(high, [value.max() for value in values])
    return {name: (float(low[place]), float(high[place])) for place, name in enumerate(names)}


def means(network: ModelProto, names: Sequence[str], texts: Texts) -> dict[str, np.ndarray]:
    """Average each tensor over all tokens of all texts: (outputs,) float64."""
    totals: list[np.ndarray] | None = None
    tokens = np.zeros(len(names))
    for values in activations(network, names, texts):
        by_token = [value.reshape(-1, value.shape[-1]) for value in values]
        sums = [rows.sum(axis=0, dtype=np.float64) for rows in by_token]
        totals = sums if totals is None else [total + more for total, more in zip(totals, sums, strict=True)]
        tokens += [len(rows) for rows in by_token]
    return {name: total / count for name, total, count in zip(names, totals or [], tokens, strict=True)}


def activations(
    network: ModelProto, names: Sequence[str], texts: Iterable[Mapping[str, np.ndarray]]
) -> Iterator[list[np.ndarray]]:
    """Yield the float32 tensors `names` inside `network` for each text, in the shapes that it computes."""
    if not names:
        return
    watched = onnx.ModelProto()
    watched.CopyFrom(network)
    del watched.graph.output[:]
    for name in names:
        watched.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it would warn about every node after the last of the tensors
    session = onnxruntime.InferenceSession(
        watched.SerializeToString(), sess_options=options, providers=["CPUExecutionProvider"]
    )
    for inputs in texts:
        yield session.run(list(names), dict(inputs))


def _fuse_products(network: ModelProto) -> None:
    """Fuse each integer product, its scaling and its bias, as onnxruntime does for dynamic ranges."""
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
        # Leave the zero points of the weights out where all are 0: the product is a little faster.
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
