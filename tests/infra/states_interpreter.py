"""A small interpreter of JSONata state machines: what Step Functions makes of a definition and a test's made-up tasks.

It knows what the project's definitions use. Waits take no time, but `$millis()` goes on; a retry is taken as having
failed.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonata import Jsonata
from jsonata.utils import Utils

Task = Callable[[Any], Any]


class TaskFailed(Exception):
    """Raised by a test's task: it fails with this error and cause."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


class Undefined(Exception):
    """An expression gave nothing; Step Functions ends the execution then."""


@dataclass
class Execution:
    """What came out of an execution, and how.

    Attributes:
        output: its output; None if it failed.
        failure: `Error` and `Cause` of the Fail state it ended in; None if it succeeded.
        visited: the states in order, those of a map included.
        calls: (state, resource, arguments) of each task.
        variables: what was assigned.
        context: what the states find in `$states.context`.
        waited: seconds that the states have waited.
    """

    output: Any = None
    failure: dict[str, str] | None = None
    visited: list[str] = field(default_factory=list)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    waited: int = 0

    def arguments(self, state: str) -> Any:
        """The arguments of a state's only call."""
        (arguments,) = [given for name, _, given in self.calls if name == state]
        return arguments


class _Failed(Exception):
    def __init__(self, failure: dict[str, str]) -> None:
        self.failure = failure


def evaluate(template: Any, states: Mapping[str, Any], variables: Mapping[str, Any], waited: int = 0) -> Any:
    """What Step Functions makes of a value with JSONata expressions in it.

    Args:
        template: the value.
        states: `$states`.
        variables: what was assigned.
        waited: seconds by which `$millis()` is ahead.

    Raises:
        Undefined: an expression gave nothing.
    """
    if isinstance(template, dict):
        return {key: evaluate(value, states, variables, waited) for key, value in template.items()}
    if isinstance(template, list):
        return [evaluate(value, states, variables, waited) for value in template]
    if not (isinstance(template, str) and template.startswith("{%")):
        return template
    text = template.removeprefix("{%").removesuffix("%}")
    bound = {name: Utils.NULL_VALUE if value is None else value for name, value in variables.items()}
    value = _jsonata(text, {"states": dict(states), **bound}, waited)
    if value is None and not _jsonata(f"$exists(({text}))", {"states": dict(states), **bound}, waited):
        raise Undefined(text)
    return json.loads(json.dumps(value))


def _jsonata(text: str, bindings: dict[str, Any], waited: int) -> Any:
    expression = Jsonata(text)
    # Step Functions' additions to JSONata.
    expression.register_lambda("parse", json.loads)
    expression.register_lambda("hash", lambda text, _: hashlib.sha256(text.encode()).hexdigest())
    expression.register_lambda("millis", lambda: int((time.time() + waited) * 1000))
    return expression.evaluate(None, bindings)


def execute(
    definition: Mapping[str, Any], given: Any, tasks: Mapping[str, Task], context: Mapping[str, Any] | None = None
) -> Execution:
    """Run an execution.

    Args:
        definition: the state machine.
        given: the execution's input.
        tasks: state → what its task answers to its arguments.
        context: what the states find in `$states.context`.
    """
    execution = Execution(context=dict(context or {}))
    try:
        execution.output = _run(definition, given, tasks, execution, execution.variables)
    except _Failed as failed:
        execution.failure = failed.failure
    return execution


def _run(
    machine: Mapping[str, Any], given: Any, tasks: Mapping[str, Task], execution: Execution, variables: dict[str, Any]
) -> Any:
    name: str | None = machine["StartAt"]
    while name:
        state = machine["States"][name]
        execution.visited.append(name)
        if state["Type"] == "Fail":
            states = {"input": given, "context": execution.context}
            raise _Failed(evaluate({key: state[key] for key in ("Error", "Cause")}, states, variables))
        given, name = _step(name, state, given, tasks, execution, variables)
    return given


def _step(
    name: str,
    state: dict[str, Any],
    given: Any,
    tasks: Mapping[str, Task],
    execution: Execution,
    variables: dict[str, Any],
) -> tuple[Any, str | None]:
    states: dict[str, Any] = {"input": given, "context": execution.context}
    taken = state
    try:
        if state["Type"] == "Task":
            arguments = evaluate(state.get("Arguments", {}), states, variables)
            execution.calls.append((name, state["Resource"], arguments))
            states["result"] = tasks[name](arguments)
        elif state["Type"] == "Map":
            states["result"] = [
                _run(state["ItemProcessor"], item, tasks, execution, dict(variables))
                for item in evaluate(state["Items"], states, variables)
            ]
        elif state["Type"] == "Choice":
            met = (
                rule
                for rule in state["Choices"]
                if evaluate(rule["Condition"], states, variables, execution.waited) is True
            )
            # What the state itself assigns counts where no rule matches.
            taken = next(met, {"Assign": state.get("Assign", {}), "Next": state["Default"]})
        elif state["Type"] == "Wait":
            execution.waited += state["Seconds"]
    except TaskFailed as failed:
        states["errorOutput"] = {"Error": failed.error, "Cause": failed.cause}
        taken = next(rule for rule in state["Catch"] if {failed.error, "States.ALL"} & {*rule["ErrorEquals"]})
    output = evaluate(taken["Output"], states, variables) if "Output" in taken else states.get("result", given)
    variables.update(evaluate(taken.get("Assign", {}), states, variables, execution.waited))
    return output, taken.get("Next")
