"""From a learned score to two logits, and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.model.objective import ScoreScale
from classifier.model.two_logits import calibrate, scores_from_logits, to_two_logits
from tests.unit.training.conftest import logits_of, tiny_classifier

SCALE = ScoreScale(mean=1.2, unit=0.9)


@pytest.fixture(scope="module", params=["bert", "distilbert", "roberta"])
def one_output(request: pytest.FixtureRequest):
    """Make a tiny random regression model; the three architectures name their last layer differently."""
    return tiny_classifier(request.param, labels=1)


def test_the_two_logits_are_zero_and_the_scaled_distance_from_the_threshold(one_output) -> None:
    """[0, a * (score - threshold)], where the score is the trained output on its own scale."""
    score = SCALE.restore(logits_of(one_output)[:, 0])
    two = to_two_logits(one_output, scale=SCALE, sharpness=3.0, threshold=1.0)
    assert np.allclose(logits_of(two), np.stack([np.zeros(2), 3.0 * (score - 1.0)], axis=1), atol=1e-5)


def test_the_score_comes_back_from_the_logits(one_output) -> None:
    """Nothing is lost on the way to two logits."""
    score = SCALE.restore(logits_of(one_output)[:, 0])
    two = to_two_logits(one_output, scale=SCALE, sharpness=7.5, threshold=1.3)
    assert np.allclose(scores_from_logits(logits_of(two), sharpness=7.5, threshold=1.3), score, atol=1e-5)


def test_the_model_is_an_ordinary_two_label_classifier(one_output) -> None:
    """Its configuration is that of a classifier with two labels, not of a regression."""
    config = to_two_logits(one_output, scale=SCALE, sharpness=1.0, threshold=1.0).config
    assert (config.num_labels, config.problem_type) == (2, "single_label_classification")


def test_a_last_layer_without_bias_is_refused() -> None:
    """The threshold needs a bias."""
    from transformers import AutoModelForSequenceClassification, GPT2Config

    from classifier.errors import JobError

    config = GPT2Config(vocab_size=30, n_embd=32, n_layer=1, n_head=2, n_positions=16, num_labels=1)
    model = AutoModelForSequenceClassification.from_config(config)
    with pytest.raises(JobError, match="not linear with a bias"):
        to_two_logits(model, scale=SCALE, sharpness=1.0, threshold=1.0)


def log_loss(a: float, scores: np.ndarray, labels: np.ndarray) -> float:
    """Mean log loss of `sigmoid(a * (score - 1))`."""
    signed = np.where(labels == 1, 1, -1) * a * (scores - 1.0)
    return float(np.mean(np.log1p(np.exp(-signed))))


def test_calibration_finds_the_slope_that_made_the_labels() -> None:
    """From labels drawn with a known slope it finds that slope, within the noise of 20,000 rows."""
    rng = np.random.default_rng(0)
    scores = rng.normal(1.2, 0.4, 20_000)
    labels = (rng.random(20_000) < 1 / (1 + np.exp(-5.0 * (scores - 1.0)))).astype(int)
    assert calibrate(scores, labels, 1.0, 1.0) == pytest.approx(5.0, rel=0.05)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), noise=st.floats(0.05, 0.5))
def test_no_other_slope_has_a_smaller_log_loss(seed: int, noise: float) -> None:
    """A slightly larger and a slightly smaller slope are both worse or equal."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(1.1, 0.4, 300)
    labels = (scores + rng.normal(0, noise, 300) >= 1.0).astype(int)
    a = calibrate(scores, labels, 1.0, 1.0)
    here = log_loss(a, scores, labels)
    assert here <= min(log_loss(a * 1.05, scores, labels), log_loss(a * 0.95, scores, labels)) + 1e-9


def test_separable_labels_give_a_finite_slope() -> None:
    """For perfect predictions the best slope would be infinite; it is capped."""
    scores = np.array([0.5, 0.6, 1.4, 1.5])
    assert calibrate(scores, (scores >= 1).astype(int), 1.0, 2.0) == pytest.approx(100.0 / 2.0)


def test_predictions_worse_than_chance_still_give_a_positive_slope() -> None:
    """The slope never inverts the labels."""
    scores = np.array([0.5, 0.6, 1.4, 1.5])
    assert calibrate(scores, (scores < 1).astype(int), 1.0, 1.0) > 0
