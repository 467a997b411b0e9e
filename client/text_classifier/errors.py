"""The one error tree. Programs read attributes; people read the message and the next step."""

from __future__ import annotations


class TextClassifierError(Exception):
    """Base of everything this package raises on purpose.

    Attributes:
        message: what was wrong, and what is allowed.
        hint: what to do next.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TextClassifierError):
    """An argument cannot be used as it stands; the API was not asked."""


class FileError(UsageError):
    """A file, or what a former run left beside it, does not allow the run."""


class TextRefusedError(TextClassifierError):
    """The one text that was given cannot be scored.

    Attributes:
        code: why, as a stable name: `empty`, `too_long`, `not_a_text`, `not_unicode`, or the API's own code.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message, hint="Give another text; a long one can be split.")
        self.code = code


class ApiError(TextClassifierError):
    """The API answered with an error, or not at all.

    Attributes:
        status: the HTTP status; None without an answer.
        code: the problem's stable name, such as `throttled`; None where the answer has none.
        detail: what the API said about it; empty where it said nothing.
        request_id: names the request in the API's log; None where the answer has none.
        retry_after: seconds after which the API wants to be asked again; None where it did not say.
    """

    worth_repeating = False
    """Whether asking the same again may succeed."""

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
    """No answer: no connection, a broken one, or none in time."""

    worth_repeating = True


class UnavailableError(ApiError):
    """Status 429, 502, 503 or 504: throttled, or the model is starting, slow, or not there yet."""

    worth_repeating = True


class RequestRefusedError(ApiError):
    """Any other status but 200: asking again would not change it."""


class BadAnswerError(ApiError):
    """Status 200 with something else than the documented answer: this is not the API, or not this version of it."""
