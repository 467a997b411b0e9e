"""Enforces the documented schema of an execution's input, with messages that say what is allowed."""

import json
from pathlib import Path
from typing import Any

import fastjsonschema

from classifier.job.hyperparameters import IGNORED, fields
from shared.errors import DATA_SOURCE_RULE, InvalidExecutionInputError
from shared.words import any_of, kind, nearest, shortened, shown

SCHEMA_FILE = Path(__file__).with_name("schema.json")
SCHEMA: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
"""JSON Schema, draft 7."""

_STRINGS = {
    "data_source": DATA_SOURCE_RULE,
    "instance_type": "a training instance type of SageMaker, such as ml.g4dn.xlarge or ml.m5.xlarge",
    "training_job": "the name of a finished training job: letters, digits and hyphens, at most 63",
    "Comment": "a string of your own, which is ignored",
}
_NUMBERS = ("integer", "number")
_validate = fastjsonschema.compile(SCHEMA, use_default=False)


def check(document: Any) -> None:
    """Check a whole input; raise InvalidExecutionInputError for the first field that is wrong."""
    try:
        _validate(document)
    except fastjsonschema.JsonSchemaValueException as error:
        raise _translated(error) from error


def allowed(path: str) -> str:
    """Say what is allowed for the field at `path`, such as `gate.min_f1`; the empty path is the whole input."""
    if not path:
        return "a JSON object, such as {}"
    outer, name, tuned, *_ = [*path.split("."), "", ""]
    if outer == "hyperparameters" and name:
        return fields()[name].allowed
    rule = SCHEMA["properties"][outer]
    if name:
        rule = rule["properties"][name]
    if tuned:
        several = "different values" if rule["properties"][tuned]["maxItems"] > 2 else "[lowest, highest]"
        return f"{several}, each {fields()[tuned].allowed.removeprefix('auto, or ')}"
    if "enum" in rule:
        return any_of(rule["enum"])
    if "pattern" in rule and "minimum" in rule:
        return f"auto, or a number from {rule['minimum']} to {rule['maximum']}"
    if rule["type"] in _NUMBERS:
        whole = "a whole number" if rule["type"] == "integer" else "a number"
        return f"{whole} from {rule['minimum']} to {rule['maximum']}"
    if rule["type"] == "boolean":
        return "true or false"
    if rule["type"] == "object":
        return f"an object, such as {json.dumps(rule['examples'][0])}"
    return _STRINGS[outer]


def _translated(error: fastjsonschema.JsonSchemaValueException) -> InvalidExecutionInputError:
    path = ".".join(error.path[1:])
    if error.rule == "additionalProperties":
        return _unknown(path, error.value, error.definition["properties"])
    if error.definition is False:
        return InvalidExecutionInputError(
            path,
            "does not go with training_job",
            "gate, approval, dry_run and Comment, because that job has run already",
        )
    return InvalidExecutionInputError(path or "input", _problem(error), _allowed_instead(path, error.value))


def _problem(error: fastjsonschema.JsonSchemaValueException) -> str:
    if error.rule == "maxLength":
        return f"has {len(error.value)} characters, more than {error.rule_definition}"
    if error.rule == "type" and not (isinstance(error.value, (int, float)) and error.rule_definition in _NUMBERS):
        return f"is the string {shown(error.value)}" if isinstance(error.value, str) else f"is {kind(error.value)}"
    if error.rule == "type" and isinstance(error.value, bool):
        return f"is {kind(error.value)}"
    return f"is {shown(error.value)}"


def _allowed_instead(path: str, value: Any) -> str:
    words = allowed(path)
    # Hyperparameters may be quoted numbers, because they become strings; other numbers may not be quoted.
    unquoted = (
        words.startswith(("a number", "auto, or a number", "a whole number", "true or false"))
        and "hyperparameters" not in path
    )
    return f"{words}, without quotes" if unquoted and isinstance(value, str) else words


def _unknown(path: str, value: dict[str, Any], known: dict[str, Any]) -> InvalidExecutionInputError:
    key = next(key for key in value if key not in known)
    reserved = path == "hyperparameters" and key.lower().startswith(IGNORED)
    problem = "is reserved for SageMaker" if reserved else f"is not known{nearest(key, known)}"
    return InvalidExecutionInputError(shortened(f"{path}.{key}" if path else key), problem, any_of(known))
