"""Reading a function's environment variables."""

from collections.abc import Mapping

from shared.errors import MisconfiguredError


def required(environment: Mapping[str, str], variable: str) -> str:
    """Return a variable without surrounding blanks; raise MisconfiguredError where it is missing or empty."""
    value = environment.get(variable, "").strip()
    if not value:
        raise MisconfiguredError(variable, "is missing")
    return value


def flag(environment: Mapping[str, str], variable: str) -> bool:
    """Return whether a variable is `true`; a missing one is false. Raise MisconfiguredError for other values."""
    value = environment.get(variable, "").strip().lower() or "false"
    if value not in ("true", "false"):
        raise MisconfiguredError(variable, f"is {value!r}; true or false is allowed")
    return value == "true"
