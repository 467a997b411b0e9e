"""Objects in S3. Errors of boto3 end here, and nothing is read without a limit."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from gate.errors import EvidenceInvalid, StorageError

MAX_BYTES = 64 * 1024**2
"""Of one file. Test sentences and answers are a few hundred bytes each."""

_MISSING = ("NoSuchKey", "404", "NotFound")


class ObjectStore:
    """Reads and writes whole objects, through a boto3 S3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, uri: str, limit: int = MAX_BYTES) -> bytes:
        """The content of an object.

        Raises:
            StorageError: it is missing, too large or may not be read.
        """
        with self._opened(uri) as body:
            content: bytes = body.read(limit + 1)
        if len(content) > limit:
            raise StorageError(uri, f"is larger than {limit} bytes")
        return content

    def read_if_there(self, uri: str) -> bytes | None:
        """The same, or None where there is no such object."""
        try:
            return self.read(uri)
        except StorageError as error:
            if error.missing:
                return None
            raise

    def content_of(self, uri: str) -> str:
        """S3's ETag of an object: another one after every change of its content. Empty where there is no such object.

        Raises:
            StorageError: it may not be looked at.
        """
        bucket, key = _parts(uri)
        try:
            with _translated("read", uri):
                return str(self._client.head_object(Bucket=bucket, Key=key)["ETag"]).strip('"')
        except StorageError as error:
            if error.missing:
                return ""
            raise

    def members(self, uri: str, names: Collection[str], limit: int = MAX_BYTES) -> dict[str, bytes]:
        """Files of a ``.tar.gz`` by their name at its root; what it lacks is left out. Nothing touches the disk.

        Raises:
            StorageError: the object is missing or may not be read.
            EvidenceInvalid: it is no such archive, or a file in it is larger than ``limit`` bytes.
        """
        found: dict[str, bytes] = {}
        with self._opened(uri) as body:
            try:
                with tarfile.open(fileobj=body, mode="r|gz") as archive:
                    for member in archive:
                        name = member.name.removeprefix("./")
                        if name in names and member.isfile():
                            found[name] = _content(archive, member, uri, limit)
            except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
                raise EvidenceInvalid(uri, f"cannot be unpacked ({error})") from error
        return found

    def write(self, uri: str, content: bytes, content_type: str) -> None:
        """Writes an object, replacing what was there."""
        bucket, key = _parts(uri)
        with _translated("written", uri):
            self._client.put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)

    @contextmanager
    def _opened(self, uri: str) -> Iterator[Any]:
        bucket, key = _parts(uri)
        with _translated("read", uri):
            yield self._client.get_object(Bucket=bucket, Key=key)["Body"]


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, uri: str, limit: int) -> bytes:
    file = archive.extractfile(member)
    if member.size > limit or file is None:
        raise EvidenceInvalid(uri, f"{member.name} has {member.size} bytes; {limit} are allowed")
    return file.read()


def _parts(uri: str) -> tuple[str, str]:
    """Bucket and key."""
    parts = urlsplit(uri)
    if parts.scheme != "s3" or not parts.netloc or not parts.path.strip("/"):
        raise StorageError(uri, "is no address s3://bucket/key")
    return parts.netloc, uri.removeprefix(f"s3://{parts.netloc}/")


@contextmanager
def _translated(verb: str, uri: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code in _MISSING:
            raise StorageError(uri, "does not exist", missing=True) from error
        raise StorageError(uri, f"cannot be {verb}: S3 answered {code}; check this function's role") from error
    except BotoCoreError as error:
        raise StorageError(uri, f"cannot be {verb} ({error})") from error
