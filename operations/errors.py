"""The error that a command ends with."""

from typing import Any


class OperationError(Exception):
    """A command could not do its work: what went wrong, with what is allowed, and as `hint` what to do next.

    `document` is what `--json` prints all the same, or None.
    """

    def __init__(self, message: str, *, hint: str, document: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.document = document
