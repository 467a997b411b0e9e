"""The errors that this package raises on purpose.

A message says what is wrong and what is allowed; `hint` says what to do next. Callers read the class and its
attributes, never the text.
"""


class ClassifierError(Exception):
    """Base of the errors of this package: what is wrong and what is allowed, and as `hint` the next step, if any."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class DataError(ClassifierError):
    """The data cannot be read, or cannot be trained on."""


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
