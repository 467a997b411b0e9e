"""The errors that this package raises on purpose.

A message says what is wrong and what is allowed; `hint` says what to do next. Callers read the class and its
attributes, never the text.
"""

from __future__ import annotations

from pathlib import Path


class ClassifierError(Exception):
    """Base of the errors of this package.

    Args:
        message: what is wrong and what is allowed, in one or two sentences.
        hint: the next step for the reader; empty if there is none.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class DataError(ClassifierError):
    """The data cannot be read, or cannot be trained on."""


# --- collecting -------------------------------------------------------------------------------------------------------


class CollectError(DataError):
    """The raw files could not be collected from ``source``."""

    def __init__(self, message: str, *, source: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.source = source


class SourceInvalid(CollectError):
    """``source`` is neither an http(s) URL, an s3:// URL nor a folder, or is not written as one should be."""


class SourceRefused(CollectError):
    """The source answered, and does not have the file or does not give it away: asking again will not help."""


class SourceUnreachable(CollectError):
    """The host did not answer, or not in time, or only with errors that pass: a fallback may be used.

    ``retry_after`` is the wait the host asked for, in seconds; 0 if it did not.
    """

    def __init__(self, message: str, *, source: str, retry_after: float = 0.0, hint: str = "") -> None:
        super().__init__(message, source=source, hint=hint)
        self.retry_after = retry_after


class DownloadIncomplete(SourceUnreachable):
    """The connection ended before the announced size: ``received`` of ``expected`` bytes (None if not announced)."""

    def __init__(self, message: str, *, source: str, received: int, expected: int | None, hint: str = "") -> None:
        super().__init__(message, source=source, hint=hint)
        self.received = received
        self.expected = expected


class DestinationUnwritable(CollectError):
    """The files could not be written below ``path``."""

    def __init__(self, message: str, *, source: str, path: Path, hint: str = "") -> None:
        super().__init__(message, source=source, hint=hint)
        self.path = path


class DiskFull(DestinationUnwritable):
    """No space, quota or allowed file size was left at ``path``."""


class JobError(ClassifierError):
    """The job cannot run as it was started, or it could not train, export or publish the model."""


class HyperparameterError(JobError):
    """`value` is not allowed for the hyperparameter `name`."""

    def __init__(self, message: str, *, name: str, value: object, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.name = name
        self.value = value


class VendoringError(JobError):
    """onnxruntime could not be put into the artifact. Training continues without it."""
