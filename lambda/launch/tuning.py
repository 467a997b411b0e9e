"""What an execution's `tune` asks for, as a tuning job of SageMaker takes it."""

import math
from collections.abc import Mapping
from typing import Any

from classifier.errors import HyperparameterError
from classifier.job.hyperparameter_rules import AUTO, parse_value
from classifier.job.hyperparameters import fields
from launch import schema
from shared.errors import InvalidExecutionInputError as Invalid

LONGEST_DAYS = 10
"""The workflow waits for eleven."""
_RULES = schema.SCHEMA["properties"]["tune"]["properties"]
_RANGES = _RULES["ranges"]["properties"]


def planned(event: Mapping[str, Any], configured: Mapping[str, str], seconds: int) -> dict[str, Any]:
    """Return a tuning job's settings, the `names` that it tunes, and its `ranges` by kind.

    `event`: an input with `tune`, checked against the schema. `configured`: the configuration's hyperparameters.
    `seconds`: the longest time of one training job. Raises InvalidExecutionInputError: they contradict each other.
    """
    tune, own = event["tune"], event.get("hyperparameters", {})
    made = {name: tune.get(name, rule["default"]) for name, rule in _RULES.items() if name != "ranges"}
    if event.get("dry_run"):
        raise Invalid("tune", "does not go with dry_run", "one of the two; leave out dry_run to tune")
    if made["parallel"] > made["max_jobs"]:
        raise Invalid("tune.parallel", f"is {made['parallel']}", f"at most max_jobs, which is {made['max_jobs']}")
    days = math.ceil(made["max_jobs"] / made["parallel"]) * seconds / 86_400
    if days > LONGEST_DAYS:
        problem = f"is {made['max_jobs']}, which may take {days:.1f} days, {made['parallel']} at a time"
        allowed = f"{LONGEST_DAYS} days at most; lower max_jobs or max_runtime_minutes, or raise parallel"
        raise Invalid("tune.max_jobs", problem, allowed)
    fixed, ranges = {**configured, **own}, tune.get("ranges") or {}
    if both := next((name for name in ranges if name in own), None):
        raise Invalid(f"tune.ranges.{both}", "is in hyperparameters, too", "one of the two: a value, or a range")
    ranges = ranges or {
        name: rule["default"]
        for name, rule in _RANGES.items()
        if "default" in rule and name not in fixed and rule.get("objective") in (None, fixed.get("objective"))
    }
    if not ranges:
        problem = "is left out, and hyperparameters or the configuration fix all that is tuned by default"
        raise Invalid("tune.ranges", problem, schema.allowed("tune.ranges"))
    kinds: dict[str, list[dict[str, Any]]] = {}
    for name, given in ranges.items():
        kind, one = _range(name, given)
        kinds.setdefault(kind, []).append(one)
    early = "Auto" if made["early_stopping"] else "Off"
    return {**made, "early_stopping": early, "names": list(ranges), "ranges": kinds}


def _range(name: str, given: list[Any]) -> tuple[str, dict[str, Any]]:
    """Return the kind of a range and the range, as SageMaker names them."""
    path, setting = f"tune.ranges.{name}", fields()[name]
    try:
        values = [parse_value(name, value, setting) for value in given]
    except HyperparameterError as error:
        raise Invalid(path, "leaves what is possible", schema.allowed(path)) from error
    if _RANGES[name]["maxItems"] > 2:
        return "CategoricalParameterRanges", {"Name": name, "Values": [*dict.fromkeys(map(str, values))]}
    if AUTO in values or not values[0] < values[1]:
        raise Invalid(path, "is empty", schema.allowed(path))
    kind = "IntegerParameterRanges" if setting.kind is int else "ContinuousParameterRanges"
    scale = "Logarithmic" if name == "learning_rate" else "Linear"
    return kind, {"Name": name, "MinValue": str(values[0]), "MaxValue": str(values[1]), "ScalingType": scale}
