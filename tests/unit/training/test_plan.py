"""What `auto` means for the data and the model, and that given values win."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from classifier.data.dataset import LabelledData
from classifier.data.splits import Splits
from classifier.job.hyperparameters import Hyperparameters
from classifier.model.objective import Objective, ScoreScale
from classifier.training.fit import weighted_loss
from classifier.training.plan import Plan, auto_epochs, auto_rate, class_weights, has_rare


def splits_of(objective: Objective, labels: list) -> Splits:
    """Make training rows with these labels; nothing else is read."""
    names = 1 + max(max(label) if isinstance(label, tuple) else label for label in labels)
    frame = pd.DataFrame({"text": "text", "label": pd.Series(labels), "score": np.nan, "family": ""})
    return Splits(
        train=frame,
        validation=frame,
        test=None,
        objective=objective,
        scale=ScoreScale(1.0, 1.0) if objective == "regression" else None,
        data=LabelledData(objective, tuple(f"label {n}" for n in range(names)), None, {}, {}),
    )


@pytest.fixture(scope="module")
def small_model() -> BertForSequenceClassification:
    """Make a model far smaller than MiniLM."""
    return BertForSequenceClassification(
        BertConfig(vocab_size=30, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    )


@pytest.mark.parametrize(("rows", "passes"), [(19_000, 2), (541, 6), (20, 100)])
def test_a_score_is_learned_in_two_epochs_or_a_hundred_steps(rows: int, passes: int) -> None:
    """As it always was: two epochs, or as many as 100 steps with batches of 32 need."""
    assert auto_epochs("regression", rows, 2, 32)[0] == passes


@pytest.mark.parametrize(
    ("objective", "rows", "labels", "batch", "passes"),
    [
        ("classification", 9_502, 77, 32, 6),
        ("classification", 19_000, 2, 32, 2),
        ("classification", 5_000, 2, 32, 2),
        ("classification", 2_000, 2, 32, 4),
        ("classification", 770, 77, 32, 26),
        ("multilabel", 41_000, 28, 64, 3),
        ("multilabel", 6_000, 5, 32, 4),
        ("multilabel", 500, 5, 32, 15),
    ],
)
def test_epochs_follow_from_the_rows_of_a_class(
    objective: str, rows: int, labels: int, batch: int, passes: int
) -> None:
    """Few rows are passed more often, and many classes more often than two."""
    assert auto_epochs(objective, rows, labels, batch)[0] == passes


@pytest.mark.parametrize(
    ("objective", "labels", "weights", "rate"),
    [
        ("regression", 2, 10_600_000, 1e-4),
        ("classification", 2, 10_600_000, 1e-4),
        ("classification", 77, 10_600_000, 3e-4),
        ("multilabel", 5, 10_600_000, 3e-4),
        ("multilabel", 28, 86_000_000, 5e-5),
        ("regression", 2, 304_000_000, 1e-5),
    ],
)
def test_the_learning_rate_follows_from_task_and_size(objective: str, labels: int, weights: int, rate: float) -> None:
    """Many classes and several labels take larger steps, larger models smaller ones."""
    assert auto_rate(objective, labels, weights)[0] == rate


def test_what_is_given_wins(small_model: BertForSequenceClassification) -> None:
    """Nothing that the user named is changed, and nothing is said about it."""
    hp = Hyperparameters(
        epochs=3, learning_rate=2e-5, train_batch_size=8, label_smoothing=0.05, class_weights="none", seed=7
    )
    labels = [0] * 400 + list(range(1, 20))
    plan = Plan.make(hp, splits_of("classification", labels), small_model)
    assert plan == Plan(epochs=3, learning_rate=2e-5, batch_size=8, label_smoothing=0.05, seed=7)


def test_every_choice_is_logged_with_its_reason(
    small_model: BertForSequenceClassification, caplog: pytest.LogCaptureFixture
) -> None:
    """Epochs, learning rate, batches, smoothing and class weights each have a line."""
    caplog.set_level(logging.INFO, "classifier")
    labels = [0] * 400 + [n for n in range(1, 20) for _ in range(4)]
    plan = Plan.make(Hyperparameters(), splits_of("classification", labels), small_model)
    assert (plan.batch_size, plan.label_smoothing, plan.learning_rate) == (32, 0.1, 3e-4)
    assert plan.class_weights is not None
    said = [record.getMessage() for record in caplog.records]
    assert said == [f"recipe: {reason}" for reason in plan.reasons] and len(said) == 5
    assert "recipe: label smoothing 0.1 (20 classes, 24 rows each)" in said
    assert "(the rarest class has 4 rows, an equal share is 24)" in said[-1]


def test_few_rows_are_taught_unless_something_is_given(small_model: BertForSequenceClassification) -> None:
    """With a base model for embeddings; any number of rows has epochs of about 30 steps."""
    few, more = (splits_of("classification", list(range(10)) * each) for each in (9, 20))
    plan = Plan.make(Hyperparameters(), few, small_model, embeds=True)
    assert (plan.epochs, plan.batch_size, plan.repeats, plan.label_smoothing) == (5, 64, 22, 0.0)
    assert "9 rows a class, fewer than 20" in plan.reasons[0]
    assert not Plan.make(Hyperparameters(), few, small_model).repeats
    assert not Plan.make(Hyperparameters(), more, small_model, embeds=True).repeats
    assert not Plan.make(Hyperparameters(epochs=3), few, small_model, embeds=True).repeats


def test_a_score_has_neither_smoothing_nor_weights(small_model: BertForSequenceClassification) -> None:
    """The loss of the shipped example is the model's own."""
    plan = Plan.make(Hyperparameters(label_smoothing=0.2), splits_of("regression", [0] * 50 + [1]), small_model)
    assert (plan.label_smoothing, plan.class_weights, weighted_loss(plan)) == (0.0, None, None)


def test_many_rows_with_several_labels_take_larger_batches(small_model: BertForSequenceClassification) -> None:
    """64 from 20,000 rows on."""
    many = splits_of("multilabel", [(0,), (1, 2)] * 10_000)
    assert Plan.make(Hyperparameters(), many, small_model).batch_size == 64
    assert Plan.make(Hyperparameters(), splits_of("multilabel", [(0,), (1,)] * 50), small_model).batch_size == 32


@pytest.mark.parametrize(("counts", "rare"), [([4827, 747], False), ([9000, 300], True), ([35, 187, 130], False)])
def test_a_class_is_rare_below_a_fifth_of_an_equal_share(counts: list[int], rare: bool) -> None:
    """13 % of two classes is not, 3 % is."""
    assert has_rare(np.array(counts)) is rare


def test_weights_are_inverse_roots_and_one_on_average() -> None:
    """Four times the rows are half the weight of a row; without a limit a class of one row would rule."""
    weights = np.array(class_weights(np.array([400, 100])))
    assert weights[1] / weights[0] == pytest.approx(2.0)
    assert (weights * [400, 100]).sum() / 500 == pytest.approx(1.0)
    extreme = class_weights(np.array([1_000_000, 1, 0]))
    assert max(extreme) / min(extreme) < 20


def test_the_loss_is_smoothed_and_weighted_cross_entropy() -> None:
    """It is torch's own, with the plan's numbers."""
    plan = Plan(epochs=1, learning_rate=1e-4, batch_size=8, seed=0, label_smoothing=0.1, class_weights=(0.5, 2.0, 1.0))
    logits, labels = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 0, 1])
    loss = weighted_loss(plan)
    assert loss is not None
    wanted = torch.nn.functional.cross_entropy(
        logits, labels, weight=torch.tensor([0.5, 2.0, 1.0]), label_smoothing=0.1
    )
    assert loss({"logits": logits}, labels, num_items_in_batch=6) == pytest.approx(wanted)
