"""The places that data files come from: a web address, a prefix in S3."""

from typing import Any
from urllib.parse import urlsplit

from ingest.addresses import AddressRule
from ingest.errors import SourceInvalidError
from ingest.sources.base import ALLOWED, Limits
from ingest.sources.http import HttpSource
from ingest.sources.s3 import S3Source

Source = HttpSource | S3Source
"""Each has a `name` for logs and manifests, finds its files and opens one."""


def open_source(source: str, limits: Limits, *, rule: AddressRule | None = None, s3_client: Any = None) -> Source:
    """Return the source behind a URL or an `s3://` prefix.

    Raises SourceInvalidError: It is neither, or has a part that is secret or that no file name can follow.
    """
    parts = urlsplit(source)
    if parts.scheme not in ("http", "https", "s3"):
        raise SourceInvalidError(f"{parts.scheme}:// is not supported; allowed is {ALLOWED}.")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise SourceInvalidError(
            f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}: user, password, query and fragment are "
            "not allowed in a source; it is a plain prefix.",
            hint="Download the files yourself and put them into S3.",
        )
    return S3Source(source, s3_client) if parts.scheme == "s3" else HttpSource(source, limits, rule)
