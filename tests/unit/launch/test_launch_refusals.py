"""What is refused, and what each refusal says: every rule of the schema, and those that a schema cannot state."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from classifier.job.hyperparameters import fields
from launch.execution_input import parse as parse_input
from launch.schema import SCHEMA
from shared.errors import InvalidExecutionInputError

NAMES = "base_model, base_model_revision, objective, epochs,"
SOURCE = "an https://, http:// or s3:// address of one data file, or of a prefix with train and test files."
JOB = "the name of a finished training job: letters, digits and hyphens, at most 63."
INSTANCE = "a training instance type of SageMaker, such as ml.g4dn.xlarge or ml.m5.xlarge."
EXCLUDED = (
    "does not go with training_job. Allowed: gate, approval, dry_run and Comment, because that job has run already."
)

# (place in the schema, rule) → (input, start of the message).
BY_RULE: dict[tuple[str, str], tuple[Any, str]] = {
    ("", "type"): ([], "input is an array. Allowed: a JSON object, such as {}."),
    ("", "additionalProperties"): (
        {"data_sorce": "s3://b"},
        "data_sorce is not known (did you mean data_source?). Allowed: data_source, hyperparameters,",
    ),
    ("data_source", "type"): ({"data_source": 5}, f"data_source is a number. Allowed: {SOURCE}"),
    ("data_source", "minLength"): ({"data_source": ""}, f'data_source is "". Allowed: {SOURCE}'),
    ("data_source", "maxLength"): (
        {"data_source": "s3://b/" + "x" * 1018},
        f"data_source has 1025 characters, more than 1024. Allowed: {SOURCE}",
    ),
    ("hyperparameters", "type"): (
        {"hyperparameters": [1]},
        'hyperparameters is an array. Allowed: an object, such as {"epochs": 3, "learning_rate": "3e-5"}.',
    ),
    ("hyperparameters", "additionalProperties"): (
        {"hyperparameters": {"epoch": 1}},
        f"hyperparameters.epoch is not known (did you mean epochs?). Allowed: {NAMES}",
    ),
    ("tune", "type"): ({"tune": True}, 'tune is a boolean. Allowed: an object, such as {"max_jobs": 8, "ranges":'),
    ("tune", "additionalProperties"): (
        {"tune": {"jobs": 3}},
        "tune.jobs is not known (did you mean max_jobs?). Allowed: max_jobs, parallel, strategy,",
    ),
    **{
        (f"tune.{name}", rule): (
            {"tune": {name: value}},
            f"tune.{name} is {said}. Allowed: a whole number from {low} to {high}",
        )
        for name, low, high, wrong in (
            ("max_jobs", 2, 50, ("9", 'the string "9"')),
            ("parallel", 1, 10, (1.5, "1.5")),
        )
        for rule, (value, said) in (
            ("type", wrong),
            ("minimum", (low - 1, low - 1)),
            ("maximum", (high + 1, high + 1)),
        )
    },
    ("tune.strategy", "type"): ({"tune": {"strategy": 1}}, "tune.strategy is a number. Allowed: Bayesian or Random."),
    ("tune.strategy", "enum"): (
        {"tune": {"strategy": "Grid"}},
        'tune.strategy is "Grid". Allowed: Bayesian or Random.',
    ),
    ("tune.early_stopping", "type"): (
        {"tune": {"early_stopping": "no"}},
        'tune.early_stopping is the string "no". Allowed: true or false, without quotes.',
    ),
    ("tune.ranges", "type"): ({"tune": {"ranges": []}}, "tune.ranges is an array. Allowed: an object, such as"),
    ("tune.ranges", "minProperties"): (
        {"tune": {"ranges": {}}},
        "tune.ranges is an object. Allowed: an object, such as",
    ),
    ("tune.ranges", "additionalProperties"): (
        {"tune": {"ranges": {"seed": [1, 2]}}},
        "tune.ranges.seed is not known. Allowed: learning_rate, epochs, train_batch_size, label_smoothing,",
    ),
    **{
        (f"tune.ranges.{name}", rule): (
            {"tune": {"ranges": {name: value}}},
            f"tune.ranges.{name}{'.0' * (rule == 'items')} is {said}. Allowed: ",
        )
        for name in SCHEMA["properties"]["tune"]["properties"]["ranges"]["properties"]
        for rule, value, said in (
            ("type", 3, "a number"),
            ("items", [None, 1], "null"),
            ("minItems", [1], "an array"),
            ("maxItems", [1] * 11, "an array"),
        )
    },
    ("instance_type", "type"): ({"instance_type": ["x"]}, f"instance_type is an array. Allowed: {INSTANCE}"),
    ("instance_type", "minLength"): ({"instance_type": ""}, f'instance_type is "". Allowed: {INSTANCE}'),
    ("instance_type", "maxLength"): ({"instance_type": "m" * 64}, "instance_type has 64 characters, more than 63."),
    ("instance_count", "type"): (
        {"instance_count": "2"},
        'instance_count is the string "2". Allowed: a whole number from 1 to 16, without quotes.',
    ),
    ("instance_count", "minimum"): ({"instance_count": 0}, "instance_count is 0. Allowed: a whole number from 1 to 16"),
    ("instance_count", "maximum"): ({"instance_count": 17}, "instance_count is 17. Allowed: a whole number from 1 to"),
    ("volume_gb", "type"): ({"volume_gb": 5.5}, "volume_gb is 5.5. Allowed: a whole number from 5 to 16384."),
    ("volume_gb", "minimum"): ({"volume_gb": -1}, "volume_gb is -1. Allowed: a whole number from 5 to 16384."),
    ("volume_gb", "maximum"): ({"volume_gb": 1e300}, "volume_gb is 1e+300. Allowed: a whole number from 5 to 16384."),
    ("max_runtime_minutes", "type"): (
        {"max_runtime_minutes": True},
        "max_runtime_minutes is a boolean. Allowed: a whole number from 1 to 7200.",
    ),
    ("max_runtime_minutes", "minimum"): ({"max_runtime_minutes": 0}, "max_runtime_minutes is 0. Allowed: a whole"),
    ("max_runtime_minutes", "maximum"): ({"max_runtime_minutes": 7201}, "max_runtime_minutes is 7201. Allowed:"),
    ("spot", "type"): ({"spot": "yes"}, 'spot is the string "yes". Allowed: true or false, without quotes.'),
    ("max_wait_minutes", "type"): ({"max_wait_minutes": None}, "max_wait_minutes is null. Allowed: a whole number"),
    ("max_wait_minutes", "minimum"): ({"max_wait_minutes": 0, "spot": True}, "max_wait_minutes is 0. Allowed:"),
    ("max_wait_minutes", "maximum"): ({"max_wait_minutes": 99999, "spot": True}, "max_wait_minutes is 99999. Allowed:"),
    ("gate", "type"): (
        {"gate": None},
        'gate is null. Allowed: an object, such as {"min_accuracy": 0.8, "margin": 0.02}.',
    ),
    ("gate", "additionalProperties"): (
        {"gate": {"accuracy": 0.8}},
        "gate.accuracy is not known (did you mean min_accuracy?). Allowed: min_accuracy, min_f1 or margin.",
    ),
    ("gate.min_accuracy", "type"): (
        {"gate": {"min_accuracy": None}},
        "gate.min_accuracy is null. Allowed: auto, or a number from 0 to 1.",
    ),
    ("gate.min_accuracy", "pattern"): (
        {"gate": {"min_accuracy": "0.8"}},
        'gate.min_accuracy is "0.8". Allowed: auto, or a number from 0 to 1, without quotes.',
    ),
    ("gate.min_accuracy", "minimum"): ({"gate": {"min_accuracy": -0.1}}, "gate.min_accuracy is -0.1. Allowed: auto"),
    ("gate.min_accuracy", "maximum"): ({"gate": {"min_accuracy": 80}}, "gate.min_accuracy is 80. Allowed: auto, or"),
    ("gate.min_f1", "type"): ({"gate": {"min_f1": True}}, "gate.min_f1 is a boolean. Allowed: auto, or a number from"),
    ("gate.min_f1", "pattern"): ({"gate": {"min_f1": "Auto"}}, 'gate.min_f1 is "Auto". Allowed: auto, or'),
    ("gate.min_f1", "minimum"): ({"gate": {"min_f1": -1}}, "gate.min_f1 is -1. Allowed: auto, or a number from"),
    ("gate.min_f1", "maximum"): ({"gate": {"min_f1": float("inf")}}, "gate.min_f1 is Infinity. Allowed: auto, or"),
    ("gate.margin", "type"): ({"gate": {"margin": {}}}, "gate.margin is an object. Allowed: a number from 0 to 0.5."),
    ("gate.margin", "minimum"): ({"gate": {"margin": -0.01}}, "gate.margin is -0.01. Allowed: a number from 0 to 0.5."),
    ("gate.margin", "maximum"): ({"gate": {"margin": 0.6}}, "gate.margin is 0.6. Allowed: a number from 0 to 0.5."),
    ("approval", "type"): ({"approval": False}, "approval is a boolean. Allowed: auto, manual or never."),
    ("approval", "enum"): ({"approval": "yes"}, 'approval is "yes". Allowed: auto, manual or never.'),
    ("training_job", "type"): ({"training_job": None}, f"training_job is null. Allowed: {JOB}"),
    ("training_job", "minLength"): ({"training_job": ""}, f'training_job is "". Allowed: {JOB}'),
    ("training_job", "maxLength"): ({"training_job": "x" * 64}, "training_job has 64 characters, more than 63."),
    ("training_job", "pattern"): ({"training_job": "a_job\n"}, f'training_job is "a_job\\n". Allowed: {JOB}'),
    ("dry_run", "type"): ({"dry_run": "true"}, 'dry_run is the string "true". Allowed: true or false, without quotes.'),
    ("Comment", "type"): ({"Comment": 1}, "Comment is a number. Allowed: a string of your own, which is ignored."),
    **{
        (f"then.{name}", "false"): ({"training_job": "a-job", name: value}, f"{name} {EXCLUDED}")
        for name, value in {
            "data_source": "s3://b",
            "hyperparameters": {},
            "tune": {},
            "instance_type": "ml.m5.xlarge",
            "instance_count": 1,
            "volume_gb": 30,
            "max_runtime_minutes": 60,
            "spot": False,
            "max_wait_minutes": 60,
        }.items()
    },
    **{
        (f"hyperparameters.{name}", "type"): (
            {"hyperparameters": {name: None}},
            f"hyperparameters.{name} is null. Allowed: {setting.allowed}.",
        )
        for name, setting in fields().items()
    },
    **{
        (f"hyperparameters.{name}", "maxLength"): (
            {"hyperparameters": {name: "x" * 2501}},
            f"hyperparameters.{name} has 2501 characters, more than 2500. Allowed: {setting.allowed}.",
        )
        for name, setting in fields().items()
    },
}
_WORDS_ONLY = {"$schema", "title", "description", "examples", "properties", "if", "then", "default", "objective"}


def _rules(schema: dict[str, Any] | bool, place: str = "") -> Iterator[tuple[str, str]]:
    if schema is False:
        yield place, "false"
        return
    assert isinstance(schema, dict)
    enforced = set(schema) - _WORDS_ONLY
    if "enum" in enforced:
        enforced.add("type")
    for rule in enforced:
        yield place, rule
    for name, inner in schema.get("properties", {}).items():
        yield from _rules(inner, f"{place}.{name}".lstrip("."))
    if "then" in schema:
        yield from _rules(schema["then"], "then")


def test_every_rule_of_the_schema_has_a_refused_example():
    """No rule is without its example and its message below."""
    assert set(_rules(SCHEMA)) == set(BY_RULE)


def _refusal(parse: Any, event: Any) -> InvalidExecutionInputError:
    with pytest.raises(InvalidExecutionInputError) as caught:
        parse(event)
    return caught.value


@pytest.mark.parametrize("place", [pytest.param(key, id=".".join(filter(None, key))) for key in BY_RULE])
def test_rule_of_the_schema(parse, place):
    """The example of each rule is refused with field, problem and what is allowed."""
    event, message = BY_RULE[place]
    error = _refusal(parse, event)
    assert str(error).startswith(message)
    assert str(error) == f"{error.field} {error.problem}. Allowed: {error.allowed}."


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (None, "input is null. Allowed: a JSON object, such as {}."),
        ("{}", 'input is the string "{}". Allowed: a JSON object, such as {}.'),
        (5, "input is a number. Allowed: a JSON object, such as {}."),
        ({"comment": "x"}, "comment is not known (did you mean Comment?). Allowed:"),
        ({"": 1}, " is not known. Allowed:"),
        ({"data_source": "/etc"}, f"data_source has no scheme. Allowed: {SOURCE}"),
        ({"data_source": "file:///etc"}, "data_source has the scheme 'file'. Allowed:"),
        ({"data_source": "ftp://host/x"}, "data_source has the scheme 'ftp'. Allowed:"),
        ({"data_source": "https://"}, "data_source names no host or bucket. Allowed:"),
        ({"data_source": "s3:///folder"}, "data_source names no host or bucket. Allowed:"),
        ({"data_source": "https://host:port/"}, "data_source is not a URL. Allowed:"),
        ({"data_source": "http://[::1/"}, "data_source is not a URL. Allowed:"),
        ({"data_source": "https://ho\nst/x"}, "data_source has characters that cannot be printed. Allowed:"),
        ({"data_source": "s3://b/\ud800"}, "data_source has characters that cannot be printed. Allowed:"),
        ({"data_source": "https://me:secret@host/x"}, "data_source has a user, password, query or fragment. Allowed:"),
        ({"data_source": "https://host/x?t=secret"}, "data_source has a user, password, query or fragment. Allowed:"),
        ({"data_source": "https://host/x#secret"}, "data_source has a user, password, query or fragment. Allowed:"),
        ({"data_source": "https://secret]/"}, "data_source is not a URL. Allowed:"),
        ({"hyperparameters": {"epochs": -1}}, "hyperparameters.epochs is -1. Allowed: auto, or a whole number, at"),
        ({"hyperparameters": {"epochs": "many"}}, 'hyperparameters.epochs is "many". Allowed: auto, or a whole'),
        ({"hyperparameters": {"epochs": True}}, "hyperparameters.epochs is true. Allowed: auto, or a whole"),
        ({"hyperparameters": {"epochs": 2.5}}, "hyperparameters.epochs is 2.5. Allowed: auto, or a whole"),
        ({"hyperparameters": {"epochs": [1]}}, "hyperparameters.epochs is an array. Allowed: auto, or a whole"),
        ({"hyperparameters": {"epochs": float("nan")}}, "hyperparameters.epochs is NaN. Allowed: auto, or a whole"),
        ({"hyperparameters": {"seed": 10**15 + 1}}, "hyperparameters.seed is 1000000000000001. Allowed: a whole"),
        ({"hyperparameters": {"learning_rate": "fast"}}, 'hyperparameters.learning_rate is "fast". Allowed: auto, or'),
        ({"hyperparameters": {"label_names": "one"}}, 'hyperparameters.label_names is "one". Allowed: different'),
        ({"hyperparameters": {"text_column": "a\0b"}}, "hyperparameters.text_column has characters that cannot be"),
        ({"hyperparameters": {"bad name": 1}}, "hyperparameters.bad name is not known. Allowed:"),
        ({"hyperparameters": {"learning-rate": 1}}, "hyperparameters.learning-rate is not known (did you mean learni"),
        ({"hyperparameters": {"SageMaker_program": "x"}}, "hyperparameters.SageMaker_program is reserved for SageM"),
        (
            {"tune": {"ranges": {"epochs": [1, 2000]}}},
            "tune.ranges.epochs leaves what is possible. Allowed: [lowest, highest], each a whole number, at",
        ),
        ({"tune": {"ranges": {"epochs": [2, 2.5]}}}, "tune.ranges.epochs leaves what is possible. Allowed: [lowest,"),
        ({"tune": {"ranges": {"epochs": [4, 4]}}}, "tune.ranges.epochs is empty. Allowed: [lowest, highest], each a w"),
        ({"tune": {"ranges": {"epochs": ["auto", 4]}}}, "tune.ranges.epochs is empty. Allowed: [lowest, highest], eac"),
        ({"tune": {"ranges": {"learning_rate": [1e-4, float("nan")]}}}, "tune.ranges.learning_rate leaves what is pos"),
        (
            {"tune": {"ranges": {"class_weights": ["none", "cube"]}}},
            "tune.ranges.class_weights leaves what is possible. Allowed: different values, each one of auto,",
        ),
        (
            {"tune": {"ranges": {"epochs": [2, 4]}}, "hyperparameters": {"epochs": 3}},
            "tune.ranges.epochs is in hyperparameters, too. Allowed: one of the two: a value, or a range.",
        ),
        (
            {"tune": {}, "hyperparameters": {"epochs": 3, "learning_rate": 1e-4, "train_batch_size": 16}},
            "tune.ranges is left out, and hyperparameters or the configuration fix all that is tuned by default.",
        ),
        ({"tune": {"max_jobs": 3, "parallel": 4}}, "tune.parallel is 4. Allowed: at most max_jobs, which is 3."),
        ({"tune": {}, "dry_run": True}, "tune does not go with dry_run. Allowed: one of the two; leave out dry_run to"),
        (
            {"tune": {"max_jobs": 50}, "max_runtime_minutes": 600},
            "tune.max_jobs is 50, which may take 10.4 days, 2 at a time. Allowed: 10 days at most; lower max_jobs or",
        ),
        ({"instance_type": "ml.m5.xlrge"}, 'instance_type is "ml.m5.xlrge" (did you mean ml.m5.xlarge?). Allowed:'),
        ({"instance_type": "local"}, f'instance_type is "local". Allowed: {INSTANCE}'),
        ({"volume_gb": float("nan")}, "volume_gb is NaN. Allowed: a whole number from 5 to 16384."),
        ({"gate": {"min_f1": float("nan")}}, "gate.min_f1 is NaN. Allowed: auto, or a number from"),
        (
            {"max_wait_minutes": 90},
            'max_wait_minutes is given without spot. Allowed: with "spot": true only, or leave it out.',
        ),
        (
            {"max_wait_minutes": 59, "spot": True},
            (
                "max_wait_minutes is 59, less than max_runtime_minutes. "
                "Allowed: a whole number from 60, which is max_runtime_minutes."
            ),
        ),
    ],
)
def test_refusal_beyond_the_schema(parse, event, message):
    """What no schema can state is refused in the same words, without repeating what may be a password."""
    error = _refusal(parse, event)
    assert str(error).startswith(message)
    assert "secret" not in str(error)


@pytest.mark.parametrize(("outer", "start"), [(None, ""), ("hyperparameters", "hyperparameters.")])
def test_long_names_are_cut(parse, outer, start):
    """A message repeats at most 80 characters of a name."""
    unknown = {"x" * 1000: 1}
    error = _refusal(parse, {outer: unknown} if outer else unknown)
    assert error.field == start + "x" * (80 - len(start)) + "…"


def test_graviton_is_refused_with_the_reason(parse):
    """SageMaker knows the type, and would fail after minutes; the launch says at once why it cannot be."""
    with pytest.raises(
        InvalidExecutionInputError, match=r'instance_type is "ml\.c6g\.xlarge", which has an Arm processor'
    ):
        parse({"instance_type": "ml.c6g.xlarge"})


def test_publishing_is_refused_where_jobs_cannot_reach_the_hub(settings):
    """An execution that asks for `hub_repo_id` is refused before hours of training; elsewhere it is accepted."""
    event = {"hyperparameters": {"hub_repo_id": "me/model"}}
    assert parse_input(event, settings.defaults, tuple).hyperparameters["hub_repo_id"]
    offline = dataclasses.replace(settings.defaults, offline=True)
    with pytest.raises(
        InvalidExecutionInputError, match=r"^hyperparameters\.hub_repo_id leads to .*training\.isolated"
    ):
        parse_input(event, offline, tuple)
    assert parse_input({"hyperparameters": {"hub_repo_id": ""}}, offline, tuple)
