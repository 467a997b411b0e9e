"""Checks an execution's input before anything happens, and completes it from the configuration.

`{}` is a valid input: every key has a default. People type the input into the Step Functions console, so each message
names the field, what is wrong with it and what is allowed. `docs/execution-input.md` documents it.
"""

import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from launch import compute, hyperparameter_values, schema, tuning
from launch.compute import Compute
from launch.settings import Defaults
from shared.errors import DATA_SOURCE_RULE, InvalidExecutionInputError
from shared.words import shortened

_SCHEMES = ("https", "http", "s3")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # urlsplit drops some of these, requests may not


@dataclass(frozen=True, kw_only=True)
class ExecutionInput:
    """A checked and completed input."""

    data_source: str | None
    """None: the configuration decides."""
    hyperparameters: dict[str, str]
    """Without those that are tuned."""
    tuning: dict[str, Any] | None
    """What `launch.tuning` plans; None: one training job."""
    compute: Compute
    gate: dict[str, float | str]
    approval: str
    training_job: str | None
    """The finished job to judge; None: train a new one."""
    dry_run: bool
    """Whether the execution ends after this check."""


def parse(event: Any, defaults: Defaults, instance_types: Callable[[], Collection[str]]) -> ExecutionInput:
    """Check the input of an execution and fill in what it omits; raise InvalidExecutionInputError."""
    schema.check(event)
    source, given = event.get("data_source"), event.get("hyperparameters", {})
    if defaults.offline and given.get("hub_repo_id", "") != "":
        raise InvalidExecutionInputError(
            "hyperparameters.hub_repo_id",
            "leads to the Hugging Face Hub, which jobs of this environment can't reach",
            "nothing, while training.isolated or training.offline is true; publish its package with make publish",
        )
    machines = compute.merged(defaults.compute, event, instance_types)
    longest = machines.max_wait_seconds or machines.max_runtime_seconds
    tuned = tuning.planned(event, defaults.hyperparameters, longest) if "tune" in event else None
    varied = tuned["names"] if tuned else ()
    left = {name: value for name, value in defaults.hyperparameters.items() if name not in varied}
    return ExecutionInput(
        data_source=None if source is None else _data_source(source),
        hyperparameters=hyperparameter_values.merged(left, given),
        tuning=tuned,
        compute=machines,
        gate=_gate(defaults.gate, event.get("gate", {})),
        approval=event.get("approval", defaults.approval),
        training_job=event.get("training_job"),
        dry_run=event.get("dry_run", False),
    )


def _data_source(source: str) -> str:
    """Return the address without surrounding blanks; raise InvalidExecutionInputError.

    Messages never repeat a part that may hold a password.
    """

    def invalid(problem: str) -> InvalidExecutionInputError:
        return InvalidExecutionInputError("data_source", problem, DATA_SOURCE_RULE)

    source = source.strip(" ")
    if _UNPRINTABLE.search(source):
        raise invalid("has characters that cannot be printed")
    try:
        parts = urlsplit(source)
        host = parts.hostname
        _ = parts.port  # raises if it is no number
    except ValueError as error:
        raise invalid("is not a URL") from error
    if parts.scheme not in _SCHEMES:
        raise invalid(f"has the scheme {shortened(parts.scheme)!r}" if parts.scheme else "has no scheme")
    if not host:
        raise invalid("names no host or bucket")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise invalid("has a user, password, query or fragment")
    return source


def _gate(defaults: dict[str, float | str], given: dict[str, Any]) -> dict[str, float | str]:
    for name, value in given.items():
        if isinstance(value, float) and math.isnan(value):  # neither below a minimum nor above a maximum
            raise InvalidExecutionInputError(f"gate.{name}", "is NaN", schema.allowed(f"gate.{name}"))
    return {**defaults, **{name: value if isinstance(value, str) else float(value) for name, value in given.items()}}
