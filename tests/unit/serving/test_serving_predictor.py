"""serving.predictor: the meaning of the logits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from serving.errors import ArtifactError, ServingError
from serving.model_config import ModelConfig
from serving.onnx_backend import OnnxBackend
from serving.predictor import FEW_LABELS, Predictor, load_predictor
from serving.text_encoder import TextEncoder


class FixedBackend:
    """Answers every batch with the same row of logits."""

    name = "fixed"
    features = ["input_ids"]
    path = Path("nowhere")

    def __init__(self, row: list[float]) -> None:
        self.row = row

    def logits(self, features: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        return np.array([self.row] * len(features["input_ids"]), dtype=np.float32)


def classifier(artifact: Path, row: list[float], *labels: str) -> Predictor:
    config = ModelConfig(labels=labels, objective="classification", max_length=8)
    return Predictor(config, TextEncoder.read(artifact, max_length=8, pad_token_id=0), FixedBackend(row))


def test_score_is_recovered_from_the_two_logits(tiny_artifact: Path) -> None:
    """A logit of 2 with scale 4 and threshold 1 is a score of 1.5."""
    assert load_predictor(tiny_artifact).predict(["good"])[0].score == 1.5


def test_confidence_is_the_softmax_of_the_winning_logit(tiny_artifact: Path) -> None:
    """Logits [0, 2] give the probability 1 / (1 + e^-2), to six digits."""
    assert load_predictor(tiny_artifact).predict(["good"])[0].confidence == round(1 / (1 + math.exp(-2)), 6)


@pytest.mark.parametrize(("text", "label"), [("good", "helpful"), ("bad", "not_helpful")])
def test_label_is_the_larger_logit(tiny_artifact: Path, text: str, label: str) -> None:
    """Each of the two labels is given where its logit is the larger one."""
    assert load_predictor(tiny_artifact).predict([text])[0].label == label


def test_batches_of_many_lengths_keep_the_order(tiny_artifact: Path) -> None:
    """A list of mixed lengths gets the same answers as its texts one by one, so neither order nor padding matters."""
    predictor = load_predictor(tiny_artifact)
    texts = [" ".join(["good", "bad", "so", "good"][: 1 + i % 4] * (1 + i % 2)) for i in range(50)]
    assert predictor.predict(texts) == [predictor.predict([text])[0] for text in texts]


def test_texts_of_several_lengths_in_one_batch_keep_their_places(tiny_artifact: Path) -> None:
    """Rows that share a batch, the longest text first, are given back to the texts they belong to."""
    encoder = TextEncoder.read(tiny_artifact, max_length=32, pad_token_id=0)
    predictor = Predictor(ModelConfig.read(tiny_artifact), encoder, OnnxBackend(tiny_artifact, threads=1))
    texts = ["so " * 20 + "good", "so " * 19 + "bad", "so " * 19]
    assert [prediction.score for prediction in predictor.predict(texts)] == [1.5, 0.5, 1.0]


def test_only_a_text_beyond_the_maximum_is_reported_as_truncated(tiny_artifact: Path) -> None:
    """Six words and two special tokens fit into 8; a seventh word does not."""
    predictions = load_predictor(tiny_artifact).predict(["so " * 6, "so " * 7])
    assert [prediction.truncated for prediction in predictions] == [False, True]


def test_classification_has_no_score(tiny_artifact: Path) -> None:
    """A model that learned labels only answers with score None, and may have more than two labels."""
    prediction = classifier(tiny_artifact, [0.0, 5.0, 1.0], "a", "b", "c").predict(["so"])[0]
    assert (prediction.label, prediction.score) == ("b", None)


@pytest.mark.parametrize("labels", [2, FEW_LABELS, FEW_LABELS + 1, 77, 1_000])
def test_many_labels_are_read_as_few(tiny_artifact: Path, labels: int) -> None:
    """The softmax is the same on both sides of the limit, and `scores` has the most probable labels in order."""
    row = np.random.default_rng(labels).normal(0, 4, labels).tolist()
    names = [f"label {number}" for number in range(labels)]
    wanted = np.exp(row) / np.exp(row).sum()
    order = np.argsort(-wanted)
    predictor = classifier(tiny_artifact, row, *names)
    best, few, every = predictor.predict(["so", "so so", "bad"], [0, 2, None])
    assert (best.label, best.confidence) == (names[order[0]], pytest.approx(wanted[order[0]], abs=1e-6))
    assert best.scores is None and few.scores is not None and every.scores is not None
    assert [label for label, _ in every.scores] == [names[label] for label in order]
    assert [each for _, each in every.scores] == pytest.approx(wanted[order], abs=1e-6)
    assert few.scores == every.scores[:2]


def several(artifact: Path, row: list[float], thresholds: tuple[float, ...]) -> Predictor:
    labels = tuple("abcd"[: len(row)])
    config = ModelConfig(labels=labels, objective="multilabel", max_length=8, label_thresholds=thresholds)
    return Predictor(config, TextEncoder.read(artifact, max_length=8, pad_token_id=0), FixedBackend(row))


def test_labels_are_given_from_their_own_thresholds_on(tiny_artifact: Path) -> None:
    """A label is given at its threshold exactly; the most probable one is named first."""
    prediction = several(tiny_artifact, [0.0, 2.0, 1.0, -3.0], (0.5, 0.9, 0.3, 0.04)).predict(["so"], [None])[0]
    assert prediction.labels == ("c", "a", "d")
    assert (prediction.label, prediction.confidence) == ("b", round(1 / (1 + math.exp(-2)), 6))
    assert prediction.scores is not None and [label for label, _ in prediction.scores] == ["b", "c", "a", "d"]


def test_no_label_may_be_given(tiny_artifact: Path) -> None:
    """The most probable label is named all the same, and extreme logits are probabilities."""
    prediction = several(tiny_artifact, [-1e30, -2.0], (0.5, 0.5)).predict(["so"], [None])[0]
    assert (prediction.labels, prediction.label) == ((), "b")
    assert prediction.scores is not None and prediction.scores[1] == ("a", 0.0)


@pytest.mark.parametrize("wrong", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("labels", [2, 40])
def test_any_logit_that_is_not_a_number_is_an_error(tiny_artifact: Path, labels: int, wrong: float) -> None:
    """In the first place or in the last, with few labels or many, with one label a text or several."""
    for row in ([wrong] + [1.0] * (labels - 1), [1.0] * (labels - 1) + [wrong]):
        with pytest.raises(ServingError, match="finite"):
            classifier(tiny_artifact, row, *map(str, range(labels))).predict(["so"])
    with pytest.raises(ServingError, match="finite"):
        several(tiny_artifact, [1.0, wrong], (0.5, 0.5)).predict(["so"])


def test_logits_that_are_not_numbers_are_an_error(tiny_artifact: Path) -> None:
    """Infinity in the network's answer raises instead of becoming a label."""
    with pytest.raises(ServingError, match="finite"):
        load_predictor(tiny_artifact).predict(["good", "overflow"])


def test_logits_of_another_shape_are_an_error(tiny_artifact: Path) -> None:
    """A network with three outputs does not pass for a model of two labels."""
    with pytest.raises(ServingError, match="shape"):
        classifier(tiny_artifact, [0.0, 1.0, 2.0], "a", "b").predict(["so"])


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "onnx/model_int8.onnx"])
@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_damaged_file_is_named(artifact_copy: Path, name: str, damage: str) -> None:
    """Loading an artifact with a missing or half-written file raises an error that carries the file."""
    file = artifact_copy / name
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(ArtifactError) as caught:
        load_predictor(artifact_copy)
    assert str(caught.value).startswith(f"{file}: ")


def test_an_artifact_that_loads_but_cannot_answer_is_refused(artifact_copy: Path) -> None:
    """Three labels for a network of two outputs are found at loading, by the first sentence."""
    config = (artifact_copy / "config.json").read_text().replace("regression", "classification")
    (artifact_copy / "config.json").write_text(config.replace('"0": "not_helpful"', '"0": "x", "2": "y"'))
    with pytest.raises(ArtifactError, match="first sentence"):
        load_predictor(artifact_copy)
