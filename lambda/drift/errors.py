"""What keeps the check from being made. A drift that was found is a result, not an error."""

from __future__ import annotations


class DriftError(Exception):
    """Base of everything this package raises on purpose."""


class Misconfigured(DriftError):
    """An environment variable is missing or not allowed.

    Attributes:
        variable: its name.
    """

    def __init__(self, variable: str, expected: str) -> None:
        super().__init__(f"The environment variable {variable} is missing or not allowed; expected {expected}.")
        self.variable = variable


class ChampionUnreadable(DriftError):
    """The registry does not say what it knows of the model that serves."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The champion cannot be read: {problem}. Next: check this function's role and the registry.")


class BaselineInvalid(DriftError):
    """The champion's baseline is not as the gate writes it.

    Attributes:
        uri: where it lies.
    """

    def __init__(self, uri: str, problem: str) -> None:
        super().__init__(f"{uri} {problem}. Next: train and release a model anew, which writes another baseline.")
        self.uri = uri


class TrafficUnreadable(DriftError):
    """CloudWatch does not give the metrics of the traffic."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The metrics of the traffic cannot be read: {problem}. Next: check this function's role.")
