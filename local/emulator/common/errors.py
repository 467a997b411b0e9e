"""The error tree of the local cloud's server and of its work on ministack."""

from __future__ import annotations


class LocalCloudError(Exception):
    """Base of the errors below. `exit_code` is what the server process ends with."""

    exit_code = 1


class UnsupportedEmulator(LocalCloudError):
    """ministack is missing or of another version than this code was written for.

    Attributes:
        installed: version found, or None.
        required: version needed.
    """

    exit_code = 5

    def __init__(self, installed: str | None, required: str) -> None:
        found = f"ministack {installed}" if installed else "no ministack"
        super().__init__(
            f"The local cloud needs ministack {required} exactly (it works on its internals) but found {found}. "
            f"Install it with: python -m pip install ministack=={required}"
        )
        self.installed = installed
        self.required = required


class PortInUse(LocalCloudError):
    """Another program listens on the port.

    Attributes:
        port: the port asked for.
    """

    exit_code = 3

    def __init__(self, port: int) -> None:
        super().__init__(
            f"Port {port} on 127.0.0.1 is in use. Stop the program that holds it (perhaps another local cloud) "
            "or start with another --port."
        )
        self.port = port


class StateDirInUse(LocalCloudError):
    """Another local cloud works on the same state folder.

    Attributes:
        path: the state folder.
        pid: process id of the other one, or None when it left no trace.
    """

    exit_code = 4

    def __init__(self, path: str, pid: int | None) -> None:
        holder = f"process {pid}" if pid else "another process"
        super().__init__(
            f"The state folder {path} is in use by {holder}. Stop that local cloud first, or give another --state-dir."
        )
        self.path = path
        self.pid = pid


class BadConfiguration(LocalCloudError):
    """An argument or a file given to the server cannot be used."""

    exit_code = 2


class CannotAssumeRole(LocalCloudError):
    """A role is missing, or does not trust the service that wants to act for it.

    Attributes:
        role_arn: the role.
        service: service principal, e.g. ``sagemaker.amazonaws.com``.
    """

    def __init__(self, role_arn: str, service: str) -> None:
        super().__init__(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{service}' to assume the role."
        )
        self.role_arn = role_arn
        self.service = service


class ResourceFailed(LocalCloudError):
    """A CloudFormation resource could not be made, changed or removed; the message is the stack event's reason."""
