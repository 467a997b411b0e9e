"""The places raw data files come from: a web address, a prefix in S3, a folder.

All three give the same: the names of the files, and a stream of bytes for each. Every failure of theirs is translated
into the error tree, so that nobody else has to know ``requests`` or ``botocore``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from classifier.errors import SourceInvalid
from classifier.sources.base import ALLOWED, Limits, Source, Stream
from classifier.sources.folder import FolderSource
from classifier.sources.http import HttpSource
from classifier.sources.s3 import S3Source

__all__ = ["FolderSource", "HttpSource", "Limits", "S3Source", "Source", "Stream", "open_source"]


def open_source(
    source: str, limits: Limits, *, check_url: Callable[[str], None] | None = None, s3_client: Any = None
) -> Source:
    """The source behind a URL, an ``s3://`` prefix or a folder's path.

    Raises:
        SourceInvalid: it is none of these, or a URL with a part that files cannot be put behind or that is secret.
    """
    if not source.strip():
        raise SourceInvalid(f"the source is empty; allowed is {ALLOWED}.", source=source)
    if "://" not in source:
        return FolderSource(Path(source).expanduser())
    parts = urlsplit(source)
    if parts.scheme not in ("http", "https", "s3"):
        raise SourceInvalid(f"{parts.scheme}:// is not supported; allowed is {ALLOWED}.", source=source)
    if parts.query or parts.fragment or "@" in parts.netloc:
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        raise SourceInvalid(
            f"{shown}: user, password, query and fragment are not allowed in a source; it is a plain prefix.",
            source=shown,
            hint="Download the files yourself and give their folder, or put them into S3.",
        )
    if parts.scheme == "s3":
        return S3Source(source, limits, s3_client)
    return HttpSource(source, limits, check_url)
