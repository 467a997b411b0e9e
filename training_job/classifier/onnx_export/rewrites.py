"""Rewrite the traced network so that it gives the same answers faster on a CPU.

onnxruntime's optimizer fuses attention, layer norms and GELU; these rewrites follow. The gain of each one is in
`docs/decisions/0007-inference-speed.md`. The export compares the result with PyTorch, so a wrong rewrite is detected.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx

if TYPE_CHECKING:
    from onnx import NodeProto
    from onnxruntime.transformers.onnx_model import OnnxModel
    from transformers import PreTrainedModel

_PER_TOKEN = {"Add", "MatMul", "Gelu", "LayerNormalization"}
"""Operators between the last attention and the classification head that work on each token separately."""

_FIRST = "first_token"
"""Name of the constant [0], which selects the first token."""

_MASKED = -10_000.0
"""Added to the attention score of a padding token: what the attention operator adds, enough for a weight of 0."""


def rewritten(model: PreTrainedModel, traced: Path) -> OnnxModel:
    """Fuse the operators of `traced`, the float32 ONNX file of `model`, and apply the rewrites below.

    The optimizer raises many kinds of exceptions on graphs it was not made for.
    """
    network = _fused(model, traced)
    single_token_type(network)
    first_token_only(network)
    attention_by_parts(network)
    unfused_residuals(network)
    network.topological_sort()
    return network


def single_token_type(network: OnnxModel) -> None:
    """Replace the look-up of token types by the one row that is used: a single text has only type 0."""
    for node in network.get_nodes_by_op_type("Gather"):
        if node.input[0].endswith("token_type_embeddings.weight"):
            row = onnx.numpy_helper.to_array(network.get_initializer(node.input[0]))[:1]
            network.add_initializer(onnx.numpy_helper.from_array(row.copy(), f"{node.input[0]}.0"))
            network.replace_input_of_all_nodes(node.output[0], f"{node.input[0]}.0")
            network.remove_node(node)
    network.prune_graph()


def first_token_only(network: OnnxModel) -> None:
    """Compute what follows the last attention for the first token only, if the head reads no other.

    The head begins by selecting the first token. Move this selection up through the operators that work on each token
    separately, as long as nothing else reads their results.
    """
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
    network.add_initializer(onnx.numpy_helper.from_array(np.array([0], dtype=np.int64), _FIRST))
    for name in sorted(above & computed):
        first = f"{name}_first"
        for node in moved.values():
            network.replace_node_input(node, name, first)
        network.add_node(onnx.helper.make_node("Gather", [name, _FIRST], [first], name=first, axis=1))


def attention_by_parts(network: OnnxModel) -> None:
    """Replace each attention by one matrix product for queries, keys and values, and two products of those.

    The quantised attention operator multiplies head by head, 32 columns at a time, and packs the texts again for each.
    Between the first attention and the head the tokens become the first axis, so that `FusedMatMul` finds the heads
    where the product left them, without a transposition. This applies if the head reads only the first token and
    everything in between works on each token separately. Other networks are not changed.
    """
    network.topological_sort()
    values = next((node.input[0] for node in network.nodes() if node.op_type == "Attention"), "")
    encoder = _encoder(network, values)
    if encoder is None:
        return
    attentions = [node for node in encoder if node.op_type == "Attention"]
    by_token = f"{values}_by_token"
    for node in encoder:
        network.replace_node_input(node, values, by_token)
        if node.op_type == "Gather":
            next(a for a in node.attribute if a.name == "axis").i = 0
    network.add_node(onnx.helper.make_node("Transpose", [values], [by_token], name=by_token, perm=[1, 0, 2]))
    masks = {name: _added_mask(network, name) for name in sorted({node.input[3] for node in attentions})}
    for node in attentions:
        _split_attention(network, node, masks[node.input[3]])
    network.prune_graph()


def unfused_residuals(network: OnnxModel) -> None:
    """Add residuals with `Sum`, because onnxruntime fuses `Add` and layer norm into a much slower operator.

    That operator takes 29 µs for 17 tokens; the layer norm alone takes 3.
    """
    normed = {node.input[0] for node in network.get_nodes_by_op_type("LayerNormalization")}
    for node in network.get_nodes_by_op_type("Add"):
        if node.output[0] in normed:
            node.op_type = "Sum"


def _encoder(network: OnnxModel, values: str) -> list[NodeProto] | None:
    """List the nodes from `values` to the head's selection of the first token; None if their axes cannot be swapped.

    `network`: sorted. `values`: input of the first attention, (batch, tokens, width).
    """
    reached, encoder, heads = {values}, [], 0
    for node in network.nodes():
        found = [name in reached for name in node.input]
        if not any(found):
            continue
        others = [name for name, here in zip(node.input, found, strict=True) if name and not here]
        if node.op_type == "Attention":
            plain = [attribute.name for attribute in node.attribute] == ["num_heads"]
            fits = plain and found == [True, False, False, False]
        elif node.op_type == "Gather":
            axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
            fits = found == [True, False] and axis == 1
        else:
            constants = [network.get_constant_value(name) for name in others]
            wide = 2 if node.op_type == "MatMul" else 1
            fits = node.op_type in _PER_TOKEN and all(c is not None and c.ndim == wide for c in constants)
        if not fits:
            return None
        encoder.append(node)
        if _selects_first_token(network, node):
            heads += 1
        else:
            reached.update(node.output)
    left = reached & set(network.get_graphs_output_names())
    return encoder if heads == 1 and not left else None


def _added_mask(network: OnnxModel, mask: str) -> str:
    """Turn `mask`, (batch, tokens) of 0 and 1, into a term to add to the scores, (batch, 1, 1, tokens)."""
    maker = network.output_name_to_node().get(mask)
    source = maker.input[0] if maker is not None and maker.op_type == "Cast" else mask
    kept, added, result = (f"{mask}_{part}" for part in ("kept", "added", "by_head"))
    constants = {f"{mask}_on": np.float32(0), f"{mask}_off": np.float32(_MASKED), f"{mask}_axes": np.array([1, 2])}
    for name, value in constants.items():
        network.add_initializer(onnx.numpy_helper.from_array(np.asarray(value), name))
    network.add_nodes(
        [
            onnx.helper.make_node("Cast", [source], [kept], name=kept, to=onnx.TensorProto.BOOL),
            onnx.helper.make_node("Where", [kept, f"{mask}_on", f"{mask}_off"], [added], name=added),
            onnx.helper.make_node("Unsqueeze", [added, f"{mask}_axes"], [result], name=result),
        ]
    )
    return result


def _split_attention(network: OnnxModel, node: NodeProto, mask: str) -> None:
    """Replace the attention `node`, whose first axis is the tokens, by single operators.

    If only the first token of the result is read, compare only its query with the keys.
    """
    values, weights, bias, _ = node.input
    result, heads = node.output[0], onnx.helper.get_node_attr_value(node, "num_heads")
    width = network.get_constant_value(weights).shape[1] // 3
    readers = network.input_name_to_nodes()[result]
    first = readers[0] if len(readers) == 1 and _FIRST in readers[0].input else None
    network.remove_node(node)

    def add(operator: str, inputs: list[str], *outputs: str, **attributes: Any) -> None:
        names = [f"{result}_{output}" for output in outputs]
        network.add_node(onnx.helper.make_node(operator, inputs, names, name=names[0], **attributes))

    def constant(name: str, numbers: list[int]) -> str:
        network.add_initializer(onnx.numpy_helper.from_array(np.array(numbers), f"{result}_{name}"))
        return f"{result}_{name}"

    add("MatMul", [values, weights], "product")  # (tokens, batch, 3 * width)
    add("Add", [f"{result}_product", bias], "biased")
    shape = constant("heads", [0, 0, 3 * heads, width // heads])
    add("Reshape", [f"{result}_biased", shape], "headed")  # (tokens, batch, 3 * heads, width of a head)
    add("Split", [f"{result}_headed"], "q", "k", "v", axis=2)
    query = f"{result}_q"
    if first is not None:
        add("Gather", [query, _FIRST], "first_q", axis=0)
        query = f"{result}_first_q"
    contrib: dict[str, Any] = {"domain": "com.microsoft", "transBatchB": 1}
    scale = float((width // heads) ** -0.5)
    add("FusedMatMul", [query, f"{result}_k"], "scores", transBatchA=1, transB=1, alpha=scale, **contrib)
    add("Add", [f"{result}_scores", mask], "masked")  # (batch, heads, queries, tokens)
    add("Softmax", [f"{result}_masked"], "shares", axis=-1)
    add("FusedMatMul", [f"{result}_shares", f"{result}_v"], "mixed", **contrib)
    add("Transpose", [f"{result}_mixed"], "joined", perm=[2, 0, 1, 3])
    final = result
    if first is not None:
        final = first.output[0]
        network.remove_node(first)
    flat = constant("width", [0, 0, width])
    network.add_node(onnx.helper.make_node("Reshape", [f"{result}_joined", flat], [final], name=final))


def _fused(model: PreTrainedModel, traced: Path) -> OnnxModel:
    """Fuse attention, layer norms and GELU; leave biases separate, to be fused with the int8 products later."""
    from onnxruntime.transformers import optimizer
    from onnxruntime.transformers.fusion_options import FusionOptions

    options = FusionOptions("bert")
    options.enable_embed_layer_norm = options.enable_skip_layer_norm = False  # both contain the slow layer norm
    options.enable_bias_skip_layer_norm = options.enable_bias_gelu = False
    options.use_raw_attention_mask(True)  # the other form requires padding at the end
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
    """Return whether `node` computes `[:, 0]`."""
    if node.op_type != "Gather" or network.get_constant_value(node.input[1]) is None:
        return False
    axis = next((onnx.helper.get_attribute_value(a) for a in node.attribute if a.name == "axis"), 0)
    index = network.get_constant_value(node.input[1])
    return axis == 1 and index.shape == () and int(index) == 0
