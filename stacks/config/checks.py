"""What the configuration's dataclasses check their values with."""

from __future__ import annotations

import re

from stacks.common.errors import ConfigError


def check(ok: object, name: str, problem: str) -> None:
    """Refuse the value `name` unless `ok`.

    Args:
        ok: whether it is usable.
        name: dotted name of the value.
        problem: what is wrong with it and what is allowed.

    Raises:
        ConfigError: it is not.
    """
    if not ok:
        raise ConfigError(name, problem)


def check_range(value: float, name: str, low: float, high: float, unit: str) -> None:
    """Refuse a number outside of ``low`` to ``high``, both allowed. Raises ConfigError."""
    check(low <= value <= high, name, f"{value} is not allowed; {unit} from {low} to {high}")


def check_instance_type(value: str, name: str) -> None:
    """Refuse what is no SageMaker instance type. Raises ConfigError."""
    check(
        re.fullmatch(r"ml\.[a-z0-9-]+\.[a-z0-9]+", value),
        name,
        f"'{value}' is not allowed; a SageMaker instance type such as ml.g4dn.xlarge",
    )
