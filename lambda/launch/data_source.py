"""The location of a run's data: a plain prefix in S3 or on the web."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from shared.errors import DATA_SOURCE_RULE, InvalidExecutionInputError
from shared.words import shortened

_SCHEMES = ("https", "http", "s3")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # urlsplit drops some of these, requests may not


def checked(source: str) -> str:
    """Return the prefix without surrounding blanks; raise InvalidExecutionInputError.

    Messages never repeat a part that may hold a password.
    """
    source = source.strip(" ")
    if _UNPRINTABLE.search(source):
        raise _invalid("has characters that cannot be printed")
    try:
        parts = urlsplit(source)
        host = parts.hostname
        _ = parts.port  # raises if it is no number
    except ValueError as error:
        raise _invalid("is not a URL") from error
    if parts.scheme not in _SCHEMES:
        raise _invalid(f"has the scheme {shortened(parts.scheme)!r}" if parts.scheme else "has no scheme")
    if not host:
        raise _invalid("names no host or bucket")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise _invalid("has a user, password, query or fragment")
    return source


def _invalid(problem: str) -> InvalidExecutionInputError:
    return InvalidExecutionInputError("data_source", problem, DATA_SOURCE_RULE)
