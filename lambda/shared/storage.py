"""Reading and writing S3 objects. This module translates boto3's errors and reads nothing without a size limit."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypedDict
from urllib.parse import urlsplit

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

from shared.errors import EvidenceError, FunctionError

MAX_BYTES = 64 * 1024**2

_MISSING = ("NoSuchKey", "NoSuchVersion", "NoSuchBucket", "404", "NotFound")


class Recorded(TypedDict):
    """Which bytes somebody wrote: address, S3's version and SHA-256 of the object, looked up right after.

    Version and digest are empty where nobody looked them up.
    """

    uri: str
    version: str
    sha256: str


class StorageError(FunctionError):
    """The object at `uri` could not be read or written; `missing` is true where it does not exist."""

    def __init__(self, uri: str, problem: str, *, missing: bool = False) -> None:
        super().__init__(f"{uri} {problem}.")
        self.missing = missing


class ObjectStore:
    """Reads and writes whole objects, addressed as `s3://bucket/key`, through a boto3 S3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, uri: str, limit: int = MAX_BYTES, version: Mapping[str, str] | None = None) -> bytes:
        """Return the content of an object, or of a `version` of it.

        Raises StorageError: it is missing, unreadable or too large.
        """
        with self.opened(uri, version) as body:
            content: bytes = body.read(limit + 1)
        if len(content) > limit:
            raise StorageError(uri, f"is larger than {limit} bytes")
        return content

    def version(self, uri: str) -> dict[str, str]:
        """Return what asks S3 for an object as it is now, and nothing that replaces it."""
        bucket, key = split_uri(uri)
        with translated("read", uri):
            found = self._client.head_object(Bucket=bucket, Key=key)
        numbered = {"VersionId": found["VersionId"]} if "VersionId" in found else {}
        return {"IfMatch": found["ETag"], **numbered}

    def copy(self, uri: str, version: Mapping[str, str], target: str) -> None:
        """Copy a `version` of an object of at most 5 GB, which S3 does by itself."""
        (bucket, key), (target_bucket, target_key) = split_uri(uri), split_uri(target)
        source = {"Bucket": bucket, "Key": key, **{name: version[name] for name in version.keys() & {"VersionId"}}}
        with translated(f"copied to {target}", uri):
            self._client.copy_object(
                Bucket=target_bucket, Key=target_key, CopySource=source, CopySourceIfMatch=version["IfMatch"]
            )

    def read_recorded(self, recorded: Recorded) -> bytes:
        """Return the bytes that were recorded. Raises StorageError, and EvidenceError where they are others."""
        version = {"VersionId": recorded["version"]} if recorded["version"] else None
        content = self.read(recorded["uri"], version=version)
        if recorded["sha256"] not in ("", hashlib.sha256(content).hexdigest()):
            raise EvidenceError(recorded["uri"], f"is not what was recorded, whose SHA-256 is {recorded['sha256']}")
        return content

    def write(self, uri: str, content: bytes, content_type: str) -> None:
        """Write an object, replacing what was there."""
        bucket, key = split_uri(uri)
        with translated("written", uri):
            self._client.put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)

    @contextmanager
    def opened(self, uri: str, version: Mapping[str, str] | None = None) -> Iterator[Any]:
        """Open an object, or this `version` of it, as a stream; the reader has to limit what it takes."""
        bucket, key = split_uri(uri)
        with translated("read", uri):
            yield self._client.get_object(Bucket=bucket, Key=key, **(version or {}))["Body"]


class Hashed:
    """Hashes a stream while somebody reads it."""

    def __init__(self, body: Any) -> None:
        self._body, self._sha256 = body, hashlib.sha256()

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size`."""
        content: bytes = self._body.read(size)
        self._sha256.update(content)
        return content

    def finish(self) -> str:
        """Read the rest and return the SHA-256 of the whole, in hexadecimal digits."""
        while self.read(1024**2):
            pass
        return self._sha256.hexdigest()


def split_uri(uri: str) -> tuple[str, str]:
    """Split `s3://bucket/key` into bucket and key. Raises StorageError: the address has another form."""
    parts = urlsplit(uri)
    if parts.scheme != "s3" or not parts.netloc or not parts.path.strip("/"):
        raise StorageError(uri, "is no address s3://bucket/key")
    return parts.netloc, uri.removeprefix(f"s3://{parts.netloc}/")


@contextmanager
def translated(verb: str, uri: str) -> Iterator[None]:
    """Turn boto3's errors at an address into StorageError; `verb` is what was tried, such as `written`."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code in _MISSING:
            raise StorageError(uri, "does not exist", missing=True) from error
        raise StorageError(uri, f"cannot be {verb}: S3 answered {code}; check this function's role") from error
    except (BotoCoreError, S3UploadFailedError) as error:
        raise StorageError(uri, f"cannot be {verb} ({error})") from error
