"""Corrected biases offset the mean error of the quantisation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("one_thread")

WIDTH, LAYERS = 16, 3


def _exact() -> Any:
    """Make linear layers in float32 that share weights and bias; each adds half of its input."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    tensors = {
        "weights": rng.normal(size=(WIDTH, WIDTH)) / 4,
        "bias": rng.normal(size=WIDTH),
        "table": rng.normal(size=(40, WIDTH)),
    }
    nodes, value = [helper.make_node("Gather", ["table", "input_ids"], ["value_0"])], "value_0"
    for layer in range(LAYERS):
        nodes.append(helper.make_node("MatMul", [value, "weights"], [f"product_{layer}"]))
        nodes.append(helper.make_node("Add", [f"product_{layer}", "bias"], [f"linear_{layer}"]))
        nodes.append(helper.make_node("Relu", [f"linear_{layer}"], [f"value_{layer + 1}"]))
        value = f"value_{layer + 1}"
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])],
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, ["batch", "tokens", WIDTH])],
        [numpy_helper.from_array(tensor.astype(np.float32), name) for name, tensor in tensors.items()],
    )
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(network)
    return network


def _texts(seed: int, count: int) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [{"input_ids": rng.integers(0, 40, (1, length))} for length in rng.integers(3, 20, count)]


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Any]:
    """Make the network in float32, in int8, and in int8 with corrected biases."""
    import copy

    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from classifier.onnx_export.calibration import correct_biases, with_static_ranges
    from classifier.onnx_export.export import quiet

    folder = tmp_path_factory.mktemp("onnx")
    exact = _exact()
    onnx.save(exact, folder / "exact.onnx")
    with quiet():
        quantize_dynamic(folder / "exact.onnx", folder / "int8.onnx", weight_type=QuantType.QInt8, reduce_range=True)
    int8 = with_static_ranges(onnx.load(folder / "int8.onnx"), _texts(1, 60))
    corrected = copy.deepcopy(int8)
    correct_biases(corrected, exact, _texts(1, 60))
    return exact, int8, corrected


def _results(network: Any) -> list[str]:
    return [node.output[0] for node in network.graph.node if node.op_type == "MatMulIntegerToFloat"]


def test_each_product_has_the_mean_it_has_in_float32(networks: tuple[Any, Any, Any]) -> None:
    """On the texts of the correction the means agree to the last digits; without it most differ."""
    from classifier.onnx_export.calibration import means

    corrected = networks[2]
    names = _results(corrected)
    assert len(names) == LAYERS
    wanted, before, after = (means(network, names, _texts(1, 60)) for network in networks)
    for name in names:
        assert after[name] == pytest.approx(wanted[name], abs=1e-6)
        assert np.abs(before[name] - wanted[name]).max() > 1e-3


def test_it_holds_for_other_texts_too(networks: tuple[Any, Any, Any]) -> None:
    """The last layer's means on texts that the correction has not seen are nearer to float32's, on average."""
    from classifier.onnx_export.calibration import means

    last = _results(networks[2])[-1]
    wanted, before, after = (means(network, [last], _texts(2, 60))[last] for network in networks)
    assert np.abs(after - wanted).mean() < 0.5 * np.abs(before - wanted).mean()


def test_layers_that_share_a_bias_get_one_each(networks: tuple[Any, Any, Any]) -> None:
    """Each product gets its own correction, and the unused shared bias is deleted."""
    _, int8, corrected = networks
    biases = {node.input[6] for node in corrected.graph.node if node.op_type == "MatMulIntegerToFloat"}
    assert len(biases) == LAYERS
    assert {node.input[6] for node in int8.graph.node if node.op_type == "MatMulIntegerToFloat"} == {"bias"}
    assert "bias" not in {tensor.name for tensor in corrected.graph.initializer}


def test_means_are_over_tokens_not_over_texts() -> None:
    """A text of three tokens counts three times as much as one of one token."""
    from classifier.onnx_export.calibration import means

    texts = [{"input_ids": np.array([[1, 2, 3]])}, {"input_ids": np.array([[4]])}]
    network = _exact()
    table = np.frombuffer(network.graph.initializer[2].raw_data, dtype=np.float32).reshape(40, WIDTH)
    assert means(network, ["value_0"], texts)["value_0"] == pytest.approx(table[1:5].mean(axis=0), abs=1e-6)
