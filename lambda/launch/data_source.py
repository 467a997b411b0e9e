"""Where the data of a run lies: a plain prefix in S3 or on the web."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from launch.errors import InvalidExecutionInput
from launch.words import shortened

SOURCE_RULE = "a prefix https://…, http://… or s3://… below which train.json and test.json lie"
_SCHEMES = ("https", "http", "s3")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # urlsplit drops some of these, requests may not
_FIELD = "data_source"


def checked(source: str) -> str:
    """The prefix without blanks around it. Messages never repeat what may hold a password.

    Raises:
        InvalidExecutionInput: it is no such prefix, or has parts that files cannot be put behind or that are secret.
    """
    source = source.strip(" ")
    if _UNPRINTABLE.search(source):
        raise InvalidExecutionInput(_FIELD, "has characters that cannot be printed", SOURCE_RULE)
    try:
        parts = urlsplit(source)
        host = parts.hostname
        _ = parts.port  # raises if it is no number
    except ValueError as error:
        raise InvalidExecutionInput(_FIELD, "is not a URL", SOURCE_RULE) from error
    if parts.scheme not in _SCHEMES:
        scheme = f"has the scheme {shortened(parts.scheme)!r}" if parts.scheme else "has no scheme"
        raise InvalidExecutionInput(_FIELD, scheme, SOURCE_RULE)
    if not host:
        raise InvalidExecutionInput(_FIELD, "names no host or bucket", SOURCE_RULE)
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise InvalidExecutionInput(_FIELD, "has a user, password, query or fragment", SOURCE_RULE)
    return source
