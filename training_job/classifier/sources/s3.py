"""Data files below a prefix in S3. boto3 is imported only when it is used: elsewhere it need not be installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from classifier.errors import SourceInvalid, SourceRefused, SourceUnreachable
from classifier.sources.base import CHUNK_BYTES, Limits, Stream, split_files

_PASSING_CODES = frozenset({"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "500", "503"})


class S3Source:
    """Files below a prefix in S3. ``client`` is a boto3 S3 client; one is made from the environment if not given."""

    def __init__(self, uri: str, limits: Limits, client: Any = None) -> None:
        parts = urlsplit(uri)
        self.name = uri.rstrip("/")
        self._bucket = parts.netloc
        self._prefix = parts.path.strip("/")
        if not self._bucket:
            raise SourceInvalid(f"{uri} names no bucket; s3://bucket/prefix is allowed.", source=uri)
        self._client = client if client is not None else _s3_client(limits)

    def find_files(self) -> tuple[str, ...]:
        """The train and the test file below the prefix."""
        start = f"{self._prefix}/" if self._prefix else ""
        with self._translated(self.name):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=start, Delimiter="/"
            )
            keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return split_files((key.removeprefix(start) for key in keys), self.name)

    @contextmanager
    def open(self, file: str) -> Iterator[Stream]:
        """The bytes of one file."""
        key = f"{self._prefix}/{file}" if self._prefix else file
        with self._translated(f"s3://{self._bucket}/{key}"):
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
        with answer["Body"] as body:
            yield Stream(answer["ContentLength"], self._chunks(body, f"s3://{self._bucket}/{key}"))

    def _chunks(self, body: Any, uri: str) -> Iterator[bytes]:
        with self._translated(uri):
            yield from iter(lambda: body.read(CHUNK_BYTES), b"")

    @contextmanager
    def _translated(self, uri: str) -> Iterator[None]:
        """Turns botocore's errors into ours."""
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError

        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown")
            if code in _PASSING_CODES:
                raise SourceUnreachable(f"{uri}: S3 answered {code}.", source=self.name) from error
            raise SourceRefused(
                f"{uri}: S3 answered {code}.",
                source=self.name,
                hint="Check bucket and prefix, and that the caller may list and read them.",
            ) from error
        except (NoCredentialsError, ParamValidationError) as error:
            raise SourceRefused(
                f"{uri} cannot be asked for: {error}.", source=self.name, hint="Set AWS credentials, or use https://."
            ) from error
        except BotoCoreError as error:
            raise SourceUnreachable(f"{uri} cannot be reached: {error}.", source=self.name) from error


def _s3_client(limits: Limits) -> Any:
    import boto3
    from botocore.config import Config

    # One attempt: the caller counts the tries, of the body as well as of the request.
    config = Config(
        connect_timeout=limits.connect_timeout, read_timeout=limits.read_timeout, retries={"total_max_attempts": 1}
    )
    return boto3.client("s3", config=config)
