"""An execution's hyperparameters on top of the configured ones, as the strings that SageMaker takes."""

import math
import re
from collections.abc import Mapping
from typing import Any

from classifier.errors import HyperparameterError
from classifier.job.hyperparameter_rules import encoded
from classifier.job.hyperparameters import Hyperparameters, fields
from shared.errors import InvalidExecutionInputError
from shared.words import shown

_MAX_EXACT = 10**15  # floats below this are exact whole numbers
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def merged(defaults: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, str]:
    """Return the hyperparameters of a run as the container needs them; raise InvalidExecutionInputError.

    `defaults`: The configured ones. `given`: Those of the execution: known names, with strings, numbers or booleans.
    """
    sent = encoded({**defaults, **{name: as_text(name, value) for name, value in given.items()}})
    try:
        Hyperparameters.parse(sent)
    except HyperparameterError as error:
        raise _invalid(error.name, f"is {shown(given.get(error.name, error.value))}") from error
    return sent


def as_text(name: str, value: Any) -> str:
    """Return a value as SageMaker takes it; raise InvalidExecutionInputError for one that cannot be read back."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        if _UNWRITABLE.search(value):
            raise _invalid(name, "has characters that cannot be printed")
        return value
    if (abs(value) > _MAX_EXACT) if isinstance(value, int) else not math.isfinite(value):
        raise _invalid(name, f"is {shown(value)}")
    # Some JSON writers turn 3 into 3.0, which the job would not read as a whole number.
    return str(int(value)) if float(value).is_integer() and abs(value) < _MAX_EXACT else repr(value)


def _invalid(name: str, problem: str) -> InvalidExecutionInputError:
    return InvalidExecutionInputError(f"hyperparameters.{name}", problem, fields()[name].allowed)
