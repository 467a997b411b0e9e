"""What can be wrong with the report's data."""

from __future__ import annotations


class ReportError(Exception):
    """Any failure of the report."""


class WrongReportData(ReportError):
    """A value that nothing can be drawn from.

    Attributes:
        name: the field.
        value: what was given.
        allowed: what would have been right.
    """

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(f"{name} is {value!r:.100}; {allowed} is allowed")
        self.name, self.value, self.allowed = name, value, allowed
