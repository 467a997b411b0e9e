"""The data bucket. Errors of boto3 end here."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

from ingest.errors import DataUnavailableError


class DataStore:
    """One bucket, through a boto3 S3 client. Its methods raise DataUnavailableError."""

    def __init__(self, bucket: str, client: Any) -> None:
        self.bucket = bucket
        self.client = client

    def uri(self, key: str) -> str:
        """Return the key as `s3://bucket/key`."""
        return f"s3://{self.bucket}/{key}"

    def has_files(self, prefix: str) -> bool:
        """Return whether anything but a folder's marker lies below `prefix`, which ends in a slash."""
        with self._translated("list", prefix):
            answer = self.client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, MaxKeys=2)
        return any(entry["Key"] != prefix for entry in answer.get("Contents", []))

    def upload(self, path: Path, key: str) -> None:
        """Write a file."""
        with self._translated("write", key):
            self.client.upload_file(str(path), self.bucket, key)

    def keep_only(self, folder: str, names: Collection[str]) -> None:
        """Delete everything below `folder`, which ends in a slash, but the files of these names."""
        with self._translated("list", folder):
            answer = self.client.list_objects_v2(Bucket=self.bucket, Prefix=folder)
        kept = {folder + name for name in names}
        for other in (entry["Key"] for entry in answer.get("Contents", []) if entry["Key"] not in kept):
            with self._translated("delete", other):
                self.client.delete_object(Bucket=self.bucket, Key=other)

    def write_json(self, content: dict[str, Any], key: str) -> None:
        """Write a JSON document."""
        body = json.dumps(content, indent=2).encode()
        with self._translated("write", key):
            self.client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json")

    @contextmanager
    def _translated(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown")
            raise DataUnavailableError(
                f"cannot {verb} {self.uri(key)}: S3 answered {code}. Check this function's role."
            ) from error
        except (BotoCoreError, S3UploadFailedError) as error:
            raise DataUnavailableError(f"cannot {verb} {self.uri(key)}: {error}") from error
