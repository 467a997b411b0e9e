"""The errors an operation can end with. Callers read attributes; people read the message and the next step."""

from __future__ import annotations


class OperationError(Exception):
    """An operation could not be done.

    Attributes:
        message: what went wrong, with the value and what is allowed.
        hint: what to do next.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotDeployed(OperationError):
    """The stacks that the operation needs do not exist in this environment."""


class LocalCloudError(OperationError):
    """The local cloud did not start, or is not running."""


class DeploymentFailed(OperationError):
    """The CDK command line ended with an error."""


class TrainingFailed(OperationError):
    """The training workflow or job ended without a model package."""


class NotApproved(OperationError):
    """The model was trained and judged, and the gate did not approve it."""


class ReleaseFailed(OperationError):
    """The package did not go into service; the champion serves as before."""
