"""Errors of several functions. Step Functions shows the class's name as the error and the message as its cause."""

DATA_SOURCE_RULE = "an https://, http:// or s3:// address of one data file, or of a prefix with train and test files"
"""What the field `data_source` of an execution's input may be, in the words of a message."""


class FunctionError(Exception):
    """Base of every error that a function of a workflow raises on purpose."""


class MisconfiguredError(FunctionError):
    """The environment variable `variable` is missing or wrong: a mistake of the deployment, not of the caller."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(f"environment variable {variable} {problem}. The stack sets it: deploy it again.")
        self.variable = variable


class EvidenceError(FunctionError):
    """A file is not as its writer should have left it; `place` is the file, with the line where one is wrong."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}.")
        self.problem = problem


class InvalidExecutionInputError(FunctionError):
    """The field `field` of an execution's input, such as `hyperparameters.epochs`, is not allowed.

    The message is `<field> <problem>. Allowed: <allowed>.`
    """

    def __init__(self, field: str, problem: str, allowed: str) -> None:
        super().__init__(f"{field} {problem}. Allowed: {allowed}.")
        self.field = field
        self.problem = problem
        self.allowed = allowed
