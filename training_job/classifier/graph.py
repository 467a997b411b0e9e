"""Rewrites of the traced network that leave its answers as they are and make it faster on a processor.

onnxruntime's optimizer recognises attention, layer norms and GELU. The three rewrites here come after it. What each
of them gains is in ``docs/decisions/0007-inference-speed.md``; none may be wrong unnoticed, because the export compares
the outcome with PyTorch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnx import NodeProto
    from onnxruntime.transformers.onnx_model import OnnxModel
    from transformers import PreTrainedModel

_PER_TOKEN = {"Add", "MatMul", "Gelu", "LayerNormalization"}
"""Operators that treat each token by itself, between the last attention and the classification head."""


def rewritten(model: PreTrainedModel, traced: Path) -> OnnxModel:
    """The network in ``traced`` with fused operators and the three rewrites.

    Args:
        model: that was traced; its configuration says how wide it is.
        traced: the ONNX file, in float32.

    Raises:
        ImportError: onnxruntime comes without its optimizer.
        Exception: of any kind; the optimizer fails in its own ways on graphs it was not made for.
    """
    network = _fused(model, traced)
    single_token_type(network)
    first_token_only(network)
    layer_norm_by_parts(network)
    network.topological_sort()
    return network


def single_token_type(network: OnnxModel) -> None:
    """Puts the one row that is used in the place of the look-up of token types: a single text has only type 0."""
    import onnx

    for node in network.get_nodes_by_op_type("Gather"):
        if node.input[0].endswith("token_type_embeddings.weight"):
            row = onnx.numpy_helper.to_array(network.get_initializer(node.input[0]))[:1]
            network.add_initializer(onnx.numpy_helper.from_array(row.copy(), f"{node.input[0]}.0"))
            network.replace_input_of_all_nodes(node.output[0], f"{node.input[0]}.0")
            network.remove_node(node)
    network.prune_graph()


def first_token_only(network: OnnxModel) -> None:
    """Computes what follows the last attention for the first token alone, where the head reads no other.

    The selection of the first token, which the head begins with, moves up through the operators that treat each token
    by itself, as far as nothing else reads what they give.
    """
    import onnx

    network.topological_sort()
    nodes = list(network.nodes())
    heads = [node for node in nodes if _selects_first_token(network, node)]
    if len(heads) != 1:
        return
    readers = network.input_name_to_nodes()
    results = set(network.get_graphs_output_names())
    moved = {heads[0].output[0]: heads[0]}
    for node in reversed(nodes):
        name = node.output[0]
        movable = node.op_type in _PER_TOKEN and name not in results
        if movable and all(reader.output[0] in moved for reader in readers.get(name, [])):
            moved[name] = node
    above = {name for node in moved.values() for name in node.input} - set(moved)
    computed = {name for node in nodes if node.op_type != "Constant" for name in node.output}
    network.add_initializer(onnx.numpy_helper.from_array(np.array([0], dtype=np.int64), "first_token"))
    for name in sorted(above & computed):
        first = f"{name}_first"
        for node in moved.values():
            network.replace_node_input(node, name, first)
        network.add_node(onnx.helper.make_node("Gather", [name, "first_token"], [first], name=first, axis=1))


def layer_norm_by_parts(network: OnnxModel) -> None:
    """Writes each layer norm as mean, difference, and a norm without mean, for which onnxruntime has a fast kernel.

    Its LayerNormalization sums numbers one after the other, 5 ns each: a quarter of the time of the whole network.
    """
    import onnx

    for node in network.get_nodes_by_op_type("LayerNormalization"):
        values, weight, bias = node.input
        result, epsilon = node.output[0], onnx.helper.get_node_attr_value(node, "epsilon")
        mean, centred, normed = (f"{result}_{part}" for part in ("mean", "centred", "normed"))
        network.remove_node(node)
        network.add_nodes(
            [
                onnx.helper.make_node("ReduceMean", [values], [mean], name=mean, axes=[-1]),
                onnx.helper.make_node("Sub", [values, mean], [centred], name=centred),
                onnx.helper.make_node(
                    "SimplifiedLayerNormalization", [centred, weight], [normed], name=normed, axis=-1, epsilon=epsilon
                ),
                onnx.helper.make_node("Add", [normed, bias], [result], name=result),
            ]
        )


def _fused(model: PreTrainedModel, traced: Path) -> OnnxModel:
    """Attention, layer norms and GELU as single operators; biases stay apart, to be fused with the int8 products."""
    from onnxruntime.transformers import optimizer
    from onnxruntime.transformers.fusion_options import FusionOptions

    options = FusionOptions("bert")
    options.enable_embed_layer_norm = options.enable_skip_layer_norm = False  # both have the slow layer norm inside
    options.enable_bias_skip_layer_norm = options.enable_bias_gelu = False
    options.use_raw_attention_mask(True)  # the other form counts on padding at the end
    heads = getattr(model.config, "num_attention_heads", 0)
    return optimizer.optimize_model(
        str(traced),
        model_type="bert",
        num_heads=heads,
        hidden_size=model.config.hidden_size,
        optimization_options=options,
        opt_level=0,
    )


def _selects_first_token(network: OnnxModel, node: NodeProto) -> bool:
    """Whether ``node`` takes ``[:, 0]``."""
    import onnx

    if node.op_type != "Gather" or network.get_constant_value(node.input[1]) is None:
        return False
    axis = next((onnx.helper.get_attribute_value(a) for a in node.attribute if a.name == "axis"), 0)
    index = network.get_constant_value(node.input[1])
    return axis == 1 and index.shape == () and int(index) == 0
