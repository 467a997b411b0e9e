"""Hyperparameters: every way in which launchers write a value, and the messages for bad ones."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import HyperparameterError, JobError
from classifier.job.hyperparameters import Hyperparameters, fields


@pytest.mark.parametrize("raw", ["5", 5, '"5"', '"\\"5\\""', "'5'", " 5 ", "5.0", 5.0])
def test_whole_numbers_parse_in_every_quoting_seen(raw: object) -> None:
    """A launcher's quotes do not change the value."""
    assert Hyperparameters.parse({"epochs": raw}).epochs == 5


@pytest.mark.parametrize("raw", ["3e-5", '"3e-5"', "0.00003", 3e-5])
def test_small_numbers_parse_in_every_notation(raw: object) -> None:
    """Scientific notation, quoted or not, is the same number."""
    assert Hyperparameters.parse({"learning_rate": raw}).learning_rate == 3e-5


@pytest.mark.parametrize(
    "raw", ["distilbert-base-uncased", '"distilbert-base-uncased"', '"\\"distilbert-base-uncased\\""']
)
def test_text_loses_its_quotes(raw: str) -> None:
    """A quoted model name is the model name."""
    assert Hyperparameters.parse({"base_model": raw}).base_model == "distilbert-base-uncased"


@given(st.floats(min_value=1e-9, max_value=0.1), st.integers(min_value=0, max_value=3))
def test_any_number_survives_any_depth_of_quotes(value: float, depth: int) -> None:
    """Parsing reverses any number of quotings."""
    import json

    raw = repr(value)
    for _ in range(depth):
        raw = json.dumps(raw)
    assert Hyperparameters.parse({"learning_rate": raw}).learning_rate == value


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("epochs", "0"),
        ("epochs", "-1"),
        ("epochs", "1.5"),
        ("epochs", "true"),
        ("epochs", True),
        ("epochs", ""),
        ("epochs", "1e400"),
        ("epochs", None),
        ("learning_rate", "abc"),
        ("learning_rate", "nan"),
        ("learning_rate", "inf"),
        ("learning_rate", "0"),
        ("label_smoothing", "0.9"),
        ("class_weights", "yes"),
        ("objective", "ranking"),
        ("base_model", ""),
        ("label_names", "same,same"),
        ("label_names", "one"),
        ("label_names", "a,,b"),
        ("score_threshold", "high"),
        ("test_fraction", "1"),
        ("quote", "backtick"),
        ("join_label_case", "true"),
        ("warmup_ratio", "1"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name_value_and_range(name: str, raw: object) -> None:
    """The error carries the field and the value, and says both and what is allowed."""
    with pytest.raises(HyperparameterError) as caught:
        Hyperparameters.parse({name: raw})
    assert (caught.value.name, caught.value.value) == (name, raw)
    assert name in str(caught.value) and fields()[name].allowed in str(caught.value)


def test_an_unknown_name_is_refused_with_the_nearest_and_the_list() -> None:
    """The message suggests the most similar name and lists all of them."""
    with pytest.raises(JobError) as caught:
        Hyperparameters.parse({"learning_rat": "1e-4"})
    assert "Did you mean learning_rate?" in caught.value.message
    assert all(name in str(caught.value) for name in fields())


def test_a_hyperparameter_that_was_removed_is_unknown() -> None:
    """A package or an execution that still names `averaged_runs` is refused like any other unknown name."""
    with pytest.raises(JobError, match=r"There is no hyperparameter averaged_runs\. .*Allowed are: base_model, "):
        Hyperparameters.parse({"averaged_runs": "2"})


def test_hyphens_and_underscores_are_the_same() -> None:
    """Both spellings of a name work."""
    assert Hyperparameters.parse({"max-length": "64"}) == Hyperparameters.parse({"max_length": "64"})


def test_the_toolkits_own_values_are_ignored() -> None:
    """`sagemaker_program` and its kin travel in the same dictionary."""
    given_values = {"sagemaker_program": "train.py", "sagemaker-submit-directory": "s3://bucket/key"}
    given_values["_tuning_objective_metric"] = "tuning_objective"  # of a job that a tuning job started
    assert Hyperparameters.parse(given_values) == Hyperparameters()


def test_every_field_says_what_it_means() -> None:
    """The help text of each hyperparameter is a sentence."""
    assert all(setting.meaning.endswith(".") for setting in fields().values())


def test_the_values_cannot_be_changed() -> None:
    """A run's hyperparameters are frozen."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Hyperparameters().epochs = 3  # type: ignore[misc]


@pytest.mark.parametrize("name", ["epochs", "learning_rate", "train_batch_size", "label_smoothing", "class_weights"])
def test_what_depends_on_the_data_is_left_open(name: str) -> None:
    """The default is `auto`, which may also be given."""
    assert getattr(Hyperparameters(), name) == getattr(Hyperparameters.parse({name: "auto"}), name) == "auto"
