"""The error tree of this package. Step Functions shows the class's name as the error and the message as its cause."""

from __future__ import annotations


class GateError(Exception):
    """Base of every error this package raises on purpose."""


class Misconfigured(GateError):
    """The function's environment ``variable`` is missing or wrong: a mistake of the deployment, not of the run."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(
            f"environment variable {variable} {problem}. It is set by the training stack: deploy it again."
        )
        self.variable = variable


class WrongPayload(GateError):
    """The state machine sent something else than agreed: ``field`` is where."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field} {problem}. The state machine sends it: deploy the training stack again.")
        self.field = field


class StorageError(GateError):
    """The object ``uri`` could not be read or written; ``missing`` tells that it is not there."""

    def __init__(self, uri: str, problem: str, *, missing: bool = False) -> None:
        super().__init__(f"{uri} {problem}.")
        self.uri = uri
        self.missing = missing


class ServingUnknown(GateError):
    """It could not be found out what serves now; ``stack`` was asked."""

    def __init__(self, stack: str, problem: str) -> None:
        super().__init__(f"cannot tell which model serves: stack {stack} {problem}. Check this function's role.")
        self.stack = stack


class EvidenceInvalid(GateError):
    """``source`` is not what it should be; ``line`` is the first wrong line, from 1, or None for the whole."""

    def __init__(self, source: str, problem: str, *, line: int | None = None) -> None:
        place = source if line is None else f"{source}, line {line}"
        super().__init__(f"{place}: {problem}.")
        self.source = source
        self.problem = problem
        self.line = line
