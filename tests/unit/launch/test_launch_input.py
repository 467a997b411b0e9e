"""The input of an execution: what is accepted, and what it becomes."""

from __future__ import annotations

import json
import math
import time

import pytest
from hypothesis import given, settings, strategies

from launch.execution_input import parse as parse_input
from launch.settings import Settings
from shared.errors import InvalidExecutionInputError


@pytest.mark.parametrize("event", [{}, {"Comment": "Insert your JSON here"}, {"Comment": ""}, {"hyperparameters": {}}])
def test_inputs_that_say_nothing_take_every_default(parse, event):
    """The console's {} and its pre-filled comment mean: everything as configured."""
    wanted = parse(event)
    assert (wanted.data_source, wanted.training_job, wanted.approval) == (None, None, "auto")
    assert wanted.hyperparameters == {"base_model": "distilbert-base-uncased", "seed": "1"}
    assert wanted.gate == {"min_accuracy": 0.7, "min_f1": 0.6, "margin": 0.02}
    assert (wanted.compute.instance_type, wanted.compute.max_runtime_seconds) == ("ml.g4dn.xlarge", 3600)
    assert (wanted.compute.spot, wanted.compute.max_wait_seconds) == (False, None)


def test_each_override_replaces_its_default_only(parse):
    """Objects are merged key by key: what an input leaves out stays as configured."""
    wanted = parse({"hyperparameters": {"seed": 7}, "gate": {"margin": 0}, "volume_gb": 50.0, "approval": "never"})
    assert wanted.hyperparameters == {"base_model": "distilbert-base-uncased", "seed": "7"}
    assert wanted.gate == {"min_accuracy": 0.7, "min_f1": 0.6, "margin": 0.0}
    assert wanted.compute.volume_gb == 50 and isinstance(wanted.compute.volume_gb, int)
    assert wanted.approval == "never"


def test_a_floor_may_be_left_to_the_gate(parse):
    """`auto` reaches the gate as it is, also where the configuration has a number."""
    assert parse({"gate": {"min_f1": "auto"}}).gate == {"min_accuracy": 0.7, "min_f1": "auto", "margin": 0.02}


@pytest.mark.parametrize(
    "source", ["https://host/path", "http://host:8080/a/b/", "s3://bucket", "s3://bucket/my data", " s3://bucket/a "]
)
def test_allowed_sources(parse, source):
    """Prefixes with https, http or s3 are passed on, without blanks around them."""
    assert parse({"data_source": source}).data_source == source.strip()


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("epochs", 3, "3"),
        ("epochs", 3.0, "3"),
        ("epochs", "3", "3"),
        ("epochs", "auto", "auto"),
        ("learning_rate", 2e-5, "2e-05"),
        ("learning_rate", "3e-5", "3e-5"),
        ("dropout", 0.1, "0.1"),
        ("score_threshold", -1, "-1"),
        ("label_column", "", "percent:"),
        ("text_column", True, "true"),
        ("score_column", False, "false"),
    ],
)
def test_hyperparameters_become_strings(parse, name, value, text):
    """SageMaker takes strings only; whole numbers stay whole, booleans are written as JSON writes them."""
    assert parse({"hyperparameters": {name: value}}).hyperparameters[name] == text


@pytest.mark.parametrize(("name", "value"), [("epochs", '"3"'), ("objective", " auto "), ("seed", "percent:1")])
def test_what_the_job_would_refuse_is_refused_at_launch(parse, name, value):
    """The launch checks the values as the job will read them: quotes and blanks are their own."""
    with pytest.raises(InvalidExecutionInputError, match=f"hyperparameters.{name} is "):
        parse({"hyperparameters": {name: value}})


def test_spot_waits_twice_the_runtime_unless_told(parse):
    """Spot machines get a limit of waiting and running together."""
    assert parse({"spot": True}).compute.max_wait_seconds == 7200
    assert parse({"spot": True, "max_wait_minutes": 60}).compute.max_wait_seconds == 3600
    assert parse({"spot": True, "max_runtime_minutes": 7200}).compute.max_wait_seconds == 864_000


def test_instance_types_are_those_of_the_sdk(parse):
    """Any type that the AWS SDK knows for training is accepted."""
    assert parse({"instance_type": "ml.m5.xlarge"}).compute.instance_type == "ml.m5.xlarge"


def test_types_are_not_looked_up_without_need(settings):
    """Making the client takes a while, so an input without an instance type does without."""

    def never() -> tuple[str, ...]:
        raise AssertionError("looked up")

    assert parse_input({}, settings.defaults, never).compute.instance_type == "ml.g4dn.xlarge"


@pytest.mark.parametrize(
    "event",
    [
        {f"key{n}": n for n in range(100_000)},
        {"x" * 1_000_000: 1},
        {"data_source": "s3://" + "x" * 1_000_000},
        {"data_source": "\ud800" * 1_000_000},
        {"hyperparameters": {"label_names": "'" * 1_000_000}},
        {"hyperparameters": {"epochs": "'" * 2500}},
        {"hyperparameters": {f"key{n}": "v" for n in range(60_000)}},
        {"training_job": "a-" * 500_000},
        {"instance_type": "m" * 1_000_000},
        {"approval": "a" * 1_000_000},
        {"gate": [0] * 500_000},
        {"volume_gb": 10**5000},
        {"hyperparameters": {"seed": 10**5000}},
        {"hyperparameters": {"seed": -(10**5000)}},
    ],
    ids=range(14),
)
def test_a_megabyte_is_refused_quickly_and_briefly(parse, event):
    """Whatever is in it, a large document is answered in well under a second, with a short message."""
    start = time.perf_counter()
    with pytest.raises(InvalidExecutionInputError) as caught:
        parse(event)
    assert time.perf_counter() - start < 2
    assert len(str(caught.value)) < 700
    assert str(caught.value).isprintable()


def test_deep_nesting_is_refused(parse):
    """A document as deep as JSON readers allow is refused, not a crash."""
    deep: object = []
    for _ in range(100_000):
        deep = [deep]
    for event in (deep, {"gate": deep}, {"hyperparameters": {"epochs": deep}}, {"unknown": deep}):
        with pytest.raises(InvalidExecutionInputError):
            parse(event)


_SCALARS = strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats() | strategies.text()
_JSON = strategies.recursive(
    _SCALARS,
    lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(strategies.text(), inner, max_size=3),
    max_leaves=6,
)
_KEYS = (
    "data_source",
    "hyperparameters",
    "instance_type",
    "instance_count",
    "volume_gb",
    "max_runtime_minutes",
    "spot",
    "max_wait_minutes",
    "gate",
    "approval",
    "training_job",
    "tune",
    "Comment",
)
_NESTED = strategies.dictionaries(
    strategies.sampled_from(
        ["epochs", "seed", "label_names", "learning_rate", "hub_repo_id", "margin", "max_jobs", "ranges"]
    ),
    _SCALARS | strategies.dictionaries(strategies.sampled_from(["epochs", "dropout"]), strategies.lists(_SCALARS)),
)
_INPUTS = _JSON | strategies.dictionaries(
    strategies.sampled_from(_KEYS), _JSON | _NESTED | strategies.sampled_from(["s3://b/x", "auto", "ml.m5.xlarge", 90])
)
_DEFAULTS = Settings.from_environment(
    {
        "DEFAULTS": json.dumps(
            {
                "hyperparameters": {},
                "gate": {"min_accuracy": 0, "min_f1": 0, "margin": 0},
                "approval": "auto",
                "offline": True,
                "compute": {
                    "instance_type": "ml.m5.xlarge",
                    "instance_count": 1,
                    "volume_gb": 30,
                    "max_runtime_minutes": 60,
                    "spot": True,
                },
            }
        ),
        "JOB_NAME_PREFIX": "x",
        "TUNING_NAME_PREFIX": "x",
        "ARTIFACTS_URI": "s3://a/b",
    }
).defaults


@settings(max_examples=400, deadline=None)
@given(_INPUTS)
def test_any_json_is_accepted_or_refused_with_a_message(event):
    """Arbitrary JSON ends in a complete request that JSON can hold, or in the one error, and in nothing else."""
    try:
        wanted = parse_input(event, _DEFAULTS, lambda: ["ml.m5.xlarge"])
    except InvalidExecutionInputError as error:
        assert str(error) == f"{error.field} {error.problem}. Allowed: {error.allowed}."
        assert str(error).isprintable() and len(str(error)) < 900
    else:
        assert all(isinstance(value, str) for value in wanted.hyperparameters.values())
        assert all(math.isfinite(value) for value in wanted.gate.values())
        assert (wanted.compute.max_wait_seconds is None) != wanted.compute.spot
