"""What `tune` becomes: the settings of a tuning job, its ranges, and the hyperparameters that stay fixed."""

from __future__ import annotations

import re
from typing import Any

import boto3
import pytest

from launch.run import run
from launch_defaults import environment


def tuned(event: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    """What the launch function makes of an input with `tune`."""
    answer = run(event, environment(**defaults), lambda: boto3.client("sagemaker", region_name="us-east-1"))
    assert answer["mode"] == "tune"
    return answer


def names(answer: dict[str, Any]) -> set[str]:
    """What is tuned, of which there is one range each."""
    listed = [one["Name"] for ranges in answer["tuning"]["ranges"].values() for one in ranges]
    assert sorted(listed) == sorted(answer["tuning"]["names"])
    return set(listed)


def test_an_empty_object_takes_the_defaults() -> None:
    """`{"tune": {}}` is eight jobs, two at a time, over rate, epochs and batches; the rest stays configured."""
    answer = tuned({"tune": {}})
    assert answer["tuning"] == {
        "max_jobs": 8,
        "parallel": 2,
        "strategy": "Bayesian",
        "early_stopping": "Off",
        "names": ["learning_rate", "epochs", "train_batch_size"],
        "ranges": {
            "ContinuousParameterRanges": [
                {"Name": "learning_rate", "MinValue": "2e-05", "MaxValue": "0.0005", "ScalingType": "Logarithmic"}
            ],
            "IntegerParameterRanges": [{"Name": "epochs", "MinValue": "2", "MaxValue": "8", "ScalingType": "Linear"}],
            "CategoricalParameterRanges": [{"Name": "train_batch_size", "Values": ["16", "32", "64"]}],
        },
    }
    assert answer["hyperparameters"] == {"base_model": "distilbert-base-uncased", "seed": "1"}


def test_a_name_fits_into_sagemakers_limit() -> None:
    """A tuning job's name has at most 32 characters, with eight random digits at its end."""
    name = tuned({"tune": {}})["job_name"]
    assert re.fullmatch(r"text-classifier-dev-[0-9a-f]{8}", name) and len(name) <= 32


def test_what_is_fixed_is_not_tuned_by_default() -> None:
    """A hyperparameter of the input, or of the configuration, keeps its value unless a range is asked for."""
    configured = {"base_model": "x", "epochs": 3}
    answer = tuned({"tune": {}, "hyperparameters": {"learning_rate": "1e-4"}}, hyperparameters=configured)
    assert names(answer) == {"train_batch_size"}
    assert answer["hyperparameters"] == {"base_model": "x", "epochs": "3", "learning_rate": "1e-4"}


def test_a_range_replaces_the_configured_value() -> None:
    """What the configuration fixes can be tuned all the same, and then has no fixed value."""
    configured = {"base_model": "x", "epochs": 3}
    answer = tuned({"tune": {"ranges": {"epochs": ["2", 4]}}}, hyperparameters=configured)
    assert names(answer) == {"epochs"}
    assert answer["hyperparameters"] == {"base_model": "x"}


@pytest.mark.parametrize(("objective", "found"), [("classification", True), ("regression", False), ("auto", False)])
def test_label_smoothing_is_tuned_for_classes_alone(objective: str, found: bool) -> None:
    """It does nothing for a score, so it is in the default ranges only with the objective classification."""
    answer = tuned({"tune": {}, "hyperparameters": {"objective": objective}})
    assert ("label_smoothing" in names(answer)) == found


def test_values_are_listed_once() -> None:
    """The same value in two spellings is one."""
    answer = tuned({"tune": {"ranges": {"train_batch_size": [16, "16", 32.0]}}})
    assert answer["tuning"]["ranges"]["CategoricalParameterRanges"][0]["Values"] == ["16", "32"]


def test_the_request_suits_sagemakers_model() -> None:
    """Ranges of every kind are what botocore's model of the service takes."""
    ranges = {
        "learning_rate": [1e-6, 1e-3],
        "max_length": [64, 128],
        "class_weights": ["none", "sqrt"],
        "dropout": [0, 0.5],
    }
    made = tuned({"tune": {"ranges": ranges, "early_stopping": True}})["tuning"]
    model = boto3.client("sagemaker", region_name="us-east-1").meta.service_model
    assert made["early_stopping"] == "Auto" in model.shape_for("TrainingJobEarlyStoppingType").enum
    assert made["strategy"] in model.shape_for("HyperParameterTuningJobStrategyType").enum
    shape = model.shape_for("ParameterRanges")
    for kind, found in made["ranges"].items():
        assert all(set(one) <= set(shape.members[kind].member.members) for one in found)
