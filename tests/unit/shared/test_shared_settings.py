"""shared.settings: reading environment variables."""

from __future__ import annotations

import pytest

from shared.errors import MisconfiguredError
from shared.settings import flag, required


def test_a_required_variable_is_read_without_blanks() -> None:
    """Blanks around a value are no part of it."""
    assert required({"NAME": " value "}, "NAME") == "value"


@pytest.mark.parametrize("environment", [{}, {"NAME": ""}, {"NAME": "  "}])
def test_a_missing_variable_is_named(environment: dict[str, str]) -> None:
    """The error names the variable, as an attribute and in its message, and says what to do."""
    with pytest.raises(MisconfiguredError, match=r"variable NAME is missing\. The stack sets it: deploy it") as caught:
        required(environment, "NAME")
    assert caught.value.variable == "NAME"


@pytest.mark.parametrize(("value", "on"), [("true", True), ("True", True), ("false", False), ("", False)])
def test_a_flag_is_true_or_false(value: str, on: bool) -> None:
    """An empty flag is off."""
    assert flag({"FLAG": value}, "FLAG") is on
    assert flag({}, "FLAG") is False


def test_another_value_of_a_flag_is_refused() -> None:
    """The error says what is allowed."""
    with pytest.raises(MisconfiguredError, match="FLAG is 'yes'; true or false is allowed"):
        flag({"FLAG": "yes"}, "FLAG")
