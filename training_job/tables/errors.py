"""The error that this package raises on purpose."""


class TableError(Exception):
    """A file cannot be read as it is, or as the settings say.

    Args:
        message: what is wrong and what is allowed; never the text of a row.
        hint: the next step for the reader.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}"
