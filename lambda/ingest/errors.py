"""The error tree of this function. Step Functions shows the class's name as the error and the message as its cause."""

from __future__ import annotations

SOURCE_RULE = "a prefix https://…, http://… or s3://… below which train.json and test.json lie"


class IngestError(Exception):
    """Base of every error this function raises on purpose."""


class InvalidExecutionInput(IngestError):
    """The input of the execution is not allowed. ``field`` is where in it: ``data_source``."""

    def __init__(self, field: str, problem: str, allowed: str) -> None:
        super().__init__(f"{field} {problem}. Allowed: {allowed}.")
        self.field = field
        self.problem = problem
        self.allowed = allowed


class DataUnavailable(IngestError):
    """The data could not be had, or not be stored. ``source`` is where it was looked for."""

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(problem)
        self.source = source


class Misconfigured(IngestError):
    """The function's environment ``variable`` is missing or wrong: a mistake of the deployment, not of the caller."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(
            f"environment variable {variable} {problem}. It is set by the training stack: deploy it again."
        )
        self.variable = variable
