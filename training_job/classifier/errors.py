"""The one error tree of this package.

Callers read the class and its attributes, never the message. The message is for people: what was wrong and what is
allowed; ``hint`` says what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


class ClassifierError(Exception):
    """Base of every error this package raises on purpose.

    Args:
        message: what was wrong and what is allowed, one or two sentences.
        hint: the next step for the person who reads it; empty if there is none.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class DataError(ClassifierError):
    """Something is wrong with the data, or with getting at it."""


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


# --- preparing --------------------------------------------------------------------------------------------------------


class PrepareError(DataError):
    """The data file ``path`` was refused."""

    def __init__(self, message: str, *, path: Path, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.path = path


class UnreadableData(PrepareError):
    """There is no such file, or it cannot be read, or it is neither JSON Lines nor CSV by its name."""


class BinaryData(PrepareError):
    """The file is not text in UTF-8."""


class EmptyData(PrepareError):
    """The file has no usable row."""


class MissingColumn(PrepareError):
    """No row has the column ``column``; ``found`` are the columns there are."""

    def __init__(self, message: str, *, path: Path, column: str, found: Sequence[str], hint: str = "") -> None:
        super().__init__(message, path=path, hint=hint)
        self.column = column
        self.found = tuple(found)


class MostlyMalformed(PrepareError):
    """More than half of the rows cannot be read; ``counts`` says how many of which kind."""

    def __init__(self, message: str, *, path: Path, counts: Mapping[str, int], hint: str = "") -> None:
        super().__init__(message, path=path, hint=hint)
        self.counts = dict(counts)


class WrongClasses(PrepareError):
    """The rows do not fall into exactly two classes; ``found`` are the distinct labels that occur (the first few)."""

    def __init__(self, message: str, *, path: Path, found: Sequence[str], hint: str = "") -> None:
        super().__init__(message, path=path, hint=hint)
        self.found = tuple(found)


class TooFewRows(DataError):
    """A split would leave a class without a row on one side."""


# --- the training job -------------------------------------------------------------------------------------------------


class JobError(ClassifierError):
    """Something is wrong with how the job was started, or with what it was given besides the data."""


class HyperparameterInvalid(JobError):
    """``value`` is not allowed for the hyperparameter ``name``; ``allowed`` says what is."""

    def __init__(self, message: str, *, name: str, value: object, allowed: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.name = name
        self.value = value
        self.allowed = allowed


class HyperparameterUnknown(JobError):
    """There is no hyperparameter ``name``; ``closest`` is the allowed one it resembles most, or None."""

    def __init__(self, message: str, *, name: str, closest: str | None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.name = name
        self.closest = closest


class CommandLineInvalid(JobError):
    """The command line cannot be read."""


class JobPathInvalid(JobError):
    """A folder the job needs is not given, not there, or not free; ``role`` is its name, such as ``model-dir``."""

    def __init__(self, message: str, *, role: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.role = role


class BaseModelUnavailable(JobError):
    """The base model ``base_model`` could not be found or fetched."""

    def __init__(self, message: str, *, base_model: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.base_model = base_model


class BaseModelUnsuitable(BaseModelUnavailable):
    """The base model ``base_model`` was loaded, but cannot be trained or exported as a classifier here."""


class ProcessesInvalid(JobError):
    """The processes of a training on several instances were not started as they must be."""


class OtherProcessFailed(JobError):
    """Another process of the training failed, or never came; its own report has the reason."""


class TrainingDiverged(JobError):
    """The training loss is not a number any more."""


class ExportError(JobError):
    """The trained model could not be exported as ONNX."""


class QuantizationDisagrees(ExportError):
    """The int8 model gives the label of the full-precision model on too small a share of the rows: ``agreement``."""

    def __init__(self, message: str, *, agreement: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.agreement = agreement


class VendoringFailed(JobError):
    """onnxruntime could not be put into the artifact; training goes on without."""


class PublishError(JobError):
    """The model folder could not be published to the hub repository ``repo_id``."""

    def __init__(self, message: str, *, repo_id: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.repo_id = repo_id
