"""The error tree of this function. Step Functions shows the class's name as the error and the message as its cause."""

from __future__ import annotations

from launch.words import shortened


class LaunchError(Exception):
    """Base of every error this function raises on purpose."""


class InvalidExecutionInput(LaunchError):
    """The input of the execution is not allowed. ``field`` is where in it, such as ``hyperparameters.epochs``.

    The message is ``<field> <problem>. Allowed: <allowed>.``
    """

    def __init__(self, field: str, problem: str, allowed: str) -> None:
        field = shortened(field)
        super().__init__(f"{field} {problem}. Allowed: {allowed}.")
        self.field = field
        self.problem = problem
        self.allowed = allowed


class TrainingJobUnreadable(LaunchError):
    """SageMaker did not say what training job ``name`` is; ``code`` is its error code."""

    def __init__(self, name: str, code: str) -> None:
        super().__init__(
            f"cannot describe training job {name}: SageMaker answered {code}. "
            "Check this function's role, or start again."
        )
        self.name = name
        self.code = code


class Misconfigured(LaunchError):
    """The function's environment ``variable`` is missing or wrong: a mistake of the deployment, not of the caller."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(
            f"environment variable {variable} {problem}. It is set by the training stack: deploy it again."
        )
        self.variable = variable
