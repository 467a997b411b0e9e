"""The errors of the local cloud's server and of its work on ministack."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the server process ends with when it cannot start."""

    BAD_CONFIGURATION = 2
    PORT_IN_USE = 3
    STATE_FOLDER_IN_USE = 4
    UNSUPPORTED_EMULATOR = 5


class CannotStartError(Exception):
    """The server cannot start; `exit_code` tells scripts why."""

    def __init__(self, exit_code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class LocalCloudError(Exception):
    """Base of the errors of a running cloud."""


class CannotAssumeRoleError(LocalCloudError):
    """A role is missing, or does not trust the service that wants to act with it."""


class ResourceFailedError(LocalCloudError):
    """A CloudFormation resource was not created, updated or deleted; the message is the stack event's reason."""
