"""The error that this package raises on purpose."""


class TableError(Exception):
    """A file cannot be read as it is, or as the settings say.

    `message` says what is wrong and what is allowed, never the text of a row; `hint` is the reader's next step.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}"
