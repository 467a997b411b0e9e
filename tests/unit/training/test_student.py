"""A student: some layers of the trained model, taught by it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    PreTrainedModel,
)

from classifier.errors import HyperparameterError
from classifier.training.plan import Plan
from classifier.training.student import (
    crossed,
    cut_layers,
    hidden_loss,
    kept_layers,
    narrow,
    student_plan,
)


@pytest.mark.parametrize(("wanted", "total", "kept"), [(3, 6, [0, 2, 5]), (1, 6, [0]), (6, 12, [0, 2, 4, 7, 9, 11])])
def test_layers_are_kept_evenly(wanted: int, total: int, kept: list[int]) -> None:
    """First and last are kept; the distances between kept layers differ by one at most."""
    assert kept_layers(wanted, total) == kept


def test_a_student_has_fewer_layers_than_its_teacher() -> None:
    """The same number is refused, and the message says what is allowed."""
    with pytest.raises(HyperparameterError, match="the base model has 6 layers"):
        kept_layers(6, 6)


def test_a_student_starts_with_its_teachers_layers(tiny_base: Path) -> None:
    """The layers are copies with two thirds of the inner units; the teacher is unchanged."""
    from transformers import AutoModelForSequenceClassification

    teacher = AutoModelForSequenceClassification.from_pretrained(tiny_base, num_labels=1)
    student = cut_layers(teacher, [1])
    wanted = teacher.bert.encoder.layer[1].attention.output.dense.weight
    assert (student.config.num_hidden_layers, len(student.bert.encoder.layer)) == (1, 1)
    assert len(teacher.bert.encoder.layer) == teacher.config.num_hidden_layers == 2
    assert torch.equal(student.bert.encoder.layer[0].attention.output.dense.weight, wanted)
    assert student.bert.encoder.layer[0].attention.output.dense.weight is not wanted
    widths = [model.bert.encoder.layer[0].intermediate.dense.out_features for model in (teacher, student)]
    assert widths == [teacher.config.intermediate_size, teacher.config.intermediate_size * 2 // 3]


def models() -> list[PreTrainedModel]:
    """Make two architectures with two layers each, whose feed-forward blocks have different names."""
    small = {"vocab_size": 50, "max_position_embeddings": 16, "num_labels": 1}
    return [
        BertForSequenceClassification(
            BertConfig(**small, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16)
        ),
        DistilBertForSequenceClassification(DistilBertConfig(**small, dim=8, n_layers=2, n_heads=2, hidden_dim=16)),
    ]


@pytest.mark.parametrize("model", models(), ids=lambda model: type(model).__name__)
def test_a_narrow_model_keeps_the_units_with_the_largest_weights(model: PreTrainedModel, tmp_path: Path) -> None:
    """It computes the same as the wide model if the other units have zero weights, and it can be saved and loaded."""
    downs = [module for module in model.modules() if isinstance(module, torch.nn.Linear) and module.in_features == 16]
    with torch.no_grad():
        for down in downs:
            down.weight[:, torch.randperm(16)[:4]] = 0
    ids = torch.randint(1, 50, (2, 9))
    wanted = model.eval()(ids).logits
    narrow(model, 0.75)
    assert torch.allclose(model(ids).logits, wanted, atol=1e-6)
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path)
    assert [tuple(weights.shape) for weights in loaded.parameters() if 12 in weights.shape] != []
    assert not any(16 in weights.shape for name, weights in loaded.named_parameters() if "embeddings" not in name)
    assert torch.allclose(loaded.eval()(ids).logits, wanted, atol=1e-6)


def test_a_model_that_is_built_otherwise_stays_as_wide(tiny_base: Path) -> None:
    """One block of this model has no second linear layer of that width."""
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(tiny_base, num_labels=1)
    before = model.config.intermediate_size
    model.bert.encoder.layer[0].output.dense = torch.nn.Identity()
    narrow(model, 0.5)
    assert (model.config.intermediate_size, model.bert.encoder.layer[1].output.dense.in_features) == (before, before)


def test_word_embeddings_of_a_student_stay_as_they_are(tiny_base: Path) -> None:
    """They are not trained; the layers and the head are."""
    from transformers import AutoModelForSequenceClassification

    student = cut_layers(AutoModelForSequenceClassification.from_pretrained(tiny_base, num_labels=1), [1])
    still = [name for name, weights in student.named_parameters() if not weights.requires_grad]
    assert still == ["bert.embeddings.word_embeddings.weight"]


def test_hidden_states_are_compared_at_the_same_depth() -> None:
    """Three layers are compared with layers 2, 4 and 6 of six; one that is off by the spread costs 1 of 3."""
    teacher = list(torch.randn(7, 2, 5, 8))
    student = [teacher[0], teacher[2], teacher[4], teacher[6]]
    everything = torch.ones(2, 5, dtype=torch.int64)
    assert hidden_loss(student, teacher, everything).item() == 0
    spread = teacher[4].reshape(-1, 8).var(dim=0, correction=0).mean().sqrt()
    student[2] = teacher[4] + spread
    assert hidden_loss(student, teacher, everything).item() == pytest.approx(1 / 3, rel=1e-5)


def test_hidden_states_of_padding_do_not_count() -> None:
    """The student differs there alone."""
    teacher = [torch.randn(1, 4, 8) for _ in range(3)]
    student = [teacher[0], teacher[2].clone()]
    student[1][0, 3] += 100
    assert hidden_loss(student, teacher, torch.tensor([[1, 1, 1, 0]])).item() == 0
    assert hidden_loss(student, teacher, torch.tensor([[1, 1, 1, 1]])).item() > 100


def test_crossed_texts_take_tokens_from_the_same_places_of_others() -> None:
    """About half of the texts change, in less than half of their places; special tokens are left alone."""
    torch.manual_seed(0)
    rows, tokens = 400, 20
    ids = 1000 * torch.arange(1, rows + 1)[:, None] + torch.arange(tokens)
    ids[:, 0], ids[::2, 15], ids[1::2, 19] = 1, 2, 2
    ids[::2, 16:] = 0
    mixed = crossed(ids, torch.tensor([0, 1, 2]))
    special = ids < 1000
    changed = mixed != ids
    assert torch.equal(mixed[special], ids[special])
    assert torch.equal(mixed[~special] % 1000, torch.arange(tokens).expand(rows, tokens)[~special])
    assert 0.35 < changed.any(dim=1).float().mean() < 0.55
    assert all(len((row[row >= 1000] // 1000).unique()) <= 2 for row in mixed)
    assert 0.15 < changed[changed.any(dim=1)].float().mean() < 0.35


def test_a_student_takes_more_and_larger_steps_within_the_limits() -> None:
    """A student has six times the epochs and three times the learning rate."""
    student = student_plan(Plan(epochs=4, learning_rate=1e-4, batch_size=32, seed=42), larger_steps=True)
    assert (student.epochs, student.learning_rate) == (24, pytest.approx(3e-4))
    student = student_plan(Plan(epochs=1000, learning_rate=0.1, batch_size=32, seed=2**32 - 1), larger_steps=True)
    assert (student.epochs, student.learning_rate) == (1000, 0.1)
