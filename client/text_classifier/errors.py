"""The errors of this package. Programs read attributes; people read the message and the next step."""


class TextClassifierError(Exception):
    """Base of every error that this package raises on purpose.

    Attributes:
        message: What is wrong, and what is allowed.
        hint: What to do next.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TextClassifierError):
    """An argument cannot be used. The API was not asked."""


class FileError(UsageError):
    """A file, or what an earlier run left beside it, does not allow the run."""


class TextRefusedError(TextClassifierError):
    """The text cannot be scored: `code` is `empty`, `too_long`, `not_a_text`, `not_unicode`, or the API's own."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message, hint="Give another text; a long one can be split.")
        self.code = code


class ApiError(TextClassifierError):
    """The API answered with an error, or not at all.

    Attributes:
        status: The HTTP status; None without an answer.
        code: The problem's stable name, such as `throttled`; None where the answer has none.
        detail: The API's explanation; may be empty.
        request_id: Id of the request in the API's log; None where the answer has none.
        retry_after: Seconds after which the API asks for another try; None where it does not say.
    """

    worth_repeating = False
    """Whether the same request may succeed later."""

    def __init__(
        self,
        message: str,
        *,
        hint: str,
        status: int | None = None,
        code: str | None = None,
        detail: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.retry_after = retry_after


class UnreachableError(ApiError):
    """There is no connection, it broke, or no answer came in time."""

    worth_repeating = True


class UnavailableError(ApiError):
    """Status 429, 502, 503 or 504: throttled, or the model is starting, slow or not released."""

    worth_repeating = True


class RequestRefusedError(ApiError):
    """Any other status but 200. Repeating the request would not change it."""


class BadAnswerError(ApiError):
    """Status 200 without the documented answer: another server, or another version of the API."""
