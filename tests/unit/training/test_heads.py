"""Where the last layer starts, and how its confidence is corrected."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForSequenceClassification, GPT2Config, PreTrainedModel

from classifier.model.heads import best_temperature, cool, last_layer, start_at_shares
from tests.unit.training.conftest import logits_of, tiny_classifier


@pytest.fixture(params=["bert", "distilbert", "roberta", "electra"])
def model(request: pytest.FixtureRequest) -> PreTrainedModel:
    """Make a tiny model with as many labels as it has dimensions, so that the shape alone does not tell its layers."""
    return tiny_classifier(request.param, labels=32)


def test_a_new_head_answers_the_shares_of_the_labels(model: PreTrainedModel) -> None:
    """With its weights at zero, each probability is the share of the training rows, also if that is none."""
    truth = np.zeros((99, 32), dtype=bool)
    truth[:33, 0] = truth[:, 1] = True
    layer = last_layer(model)
    assert start_at_shares(model, truth) and layer is not None
    torch.nn.init.zeros_(layer.weight)
    found = 1 / (1 + np.exp(-logits_of(model)[0]))
    assert found[[0, 1, 2]] == pytest.approx([33.5 / 100, 99.5 / 100, 0.5 / 100], abs=1e-6)


def test_a_temperature_divides_the_logits(model: PreTrainedModel) -> None:
    """Of the last layer alone, whatever comes before it."""
    before = logits_of(model)
    cool(model, 2.5)
    assert logits_of(model) == pytest.approx(before / 2.5, abs=1e-6)


def test_a_head_without_a_bias_is_left_alone() -> None:
    """There is nothing to start at the shares."""
    config = GPT2Config(vocab_size=30, n_embd=32, n_layer=1, n_head=2, n_positions=16, num_labels=3, pad_token_id=0)
    bare = AutoModelForSequenceClassification.from_config(config)
    assert not start_at_shares(bare, np.ones((4, 3), dtype=bool))
    cool(bare, 2.0)


def log_loss(logits: np.ndarray, labels: np.ndarray) -> float:
    """Mean log loss of a softmax."""
    return float(torch.nn.functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels)))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), sharpness=st.floats(0.3, 8.0))
def test_no_other_temperature_has_a_smaller_log_loss(seed: int, sharpness: float) -> None:
    """Labels drawn from a softmax, logits made too sure or not sure enough: the best divisor is found."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (400, 5))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(5, p=row) for row in shares])
    best = best_temperature(sharpness * logits, labels)
    here = log_loss(sharpness * logits / best, labels)
    assert here <= min(log_loss(sharpness * logits / (best * by), labels) for by in (0.95, 1.05)) + 1e-9


def test_answers_without_a_mistake_give_a_finite_temperature() -> None:
    """For perfect answers the best divisor would be 0; it is limited."""
    logits = np.eye(4) * 5
    assert 0.04 < best_temperature(logits, np.arange(4)) < 0.06
