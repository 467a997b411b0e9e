"""The errors of getting and storing the data."""

from shared.errors import FunctionError


class DataUnavailableError(FunctionError):
    """The data could not be read or stored: what is wrong and what is allowed, and as `hint` the next step."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".rstrip())
        self.message = message


class SourceInvalidError(DataUnavailableError):
    """The source is neither an http(s) URL nor an s3:// URL, or has a part that is not allowed."""


class SourceUnreachableError(DataUnavailableError):
    """The source failed in a way that may pass, so trying again may help; `retry_after` is its wait in seconds."""

    def __init__(self, message: str, *, retry_after: float = 0.0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after
