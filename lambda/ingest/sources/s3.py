"""Data files below a prefix in S3, or a single object."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError

from classifier.data.layout import is_data_file
from ingest.errors import DataUnavailableError, SourceInvalidError, SourceUnreachableError
from ingest.sources.base import CHUNK_BYTES, Stream, data_files

_PASSING_CODES = frozenset({"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "500", "503"})


class S3Source:
    """Files below a prefix in S3, read with the boto3 client `client`."""

    def __init__(self, uri: str, client: Any) -> None:
        parts = urlsplit(uri)
        self.name = uri.rstrip("/")
        self._bucket = parts.netloc
        folder, _, last = parts.path.strip("/").rpartition("/")
        self._only = last if is_data_file(last) and not uri.endswith("/") else None  # key.csv/ is a prefix
        self._prefix = folder if self._only else parts.path.strip("/")
        if not self._bucket:
            raise SourceInvalidError(f"{uri} names no bucket; s3://bucket/prefix is allowed.")
        self._client = client

    def find_files(self) -> tuple[str, ...]:
        """Return the names of the data files."""
        if self._only:
            return data_files([self._only], self.name)
        start = f"{self._prefix}/" if self._prefix else ""
        with _translated(self.name):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=start, Delimiter="/"
            )
            keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return data_files((key.removeprefix(start) for key in keys), self.name)

    @contextmanager
    def open(self, file: str) -> Iterator[Stream]:
        """Request one file."""
        key = f"{self._prefix}/{file}" if self._prefix else file
        uri = f"s3://{self._bucket}/{key}"
        with _translated(uri):
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
        with answer["Body"] as body:
            yield Stream(answer["ContentLength"], _chunks(body, uri))


def _chunks(body: Any, uri: str) -> Iterator[bytes]:
    with _translated(uri):
        yield from iter(lambda: body.read(CHUNK_BYTES), b"")


@contextmanager
def _translated(uri: str) -> Iterator[None]:
    """Turn botocore's errors into those of this package."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code in _PASSING_CODES:
            raise SourceUnreachableError(f"{uri}: S3 answered {code}.") from error
        raise DataUnavailableError(
            f"{uri}: S3 answered {code}.",
            hint="Check bucket and prefix, and that the caller may list and read them. A folder ends in a slash.",
        ) from error
    except (NoCredentialsError, ParamValidationError) as error:
        raise DataUnavailableError(
            f"{uri} cannot be requested: {error}.", hint="Set AWS credentials, or use https://."
        ) from error
    except BotoCoreError as error:
        raise SourceUnreachableError(f"{uri} cannot be reached: {error}.") from error
