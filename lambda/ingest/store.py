"""The data bucket."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from shared.storage import ObjectStore, translated


class DataStore:
    """One bucket, through a boto3 S3 client. Its methods raise StorageError."""

    def __init__(self, bucket: str, client: Any) -> None:
        self.bucket = bucket
        self.client = client

    def uri(self, key: str) -> str:
        """Return the key as `s3://bucket/key`."""
        return f"s3://{self.bucket}/{key}"

    def has_files(self, prefix: str) -> bool:
        """Return whether anything but a folder's marker lies below `prefix`, which ends in a slash."""
        with translated("listed", self.uri(prefix)):
            answer = self.client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, MaxKeys=2)
        return any(entry["Key"] != prefix for entry in answer.get("Contents", []))

    def upload(self, path: Path, key: str) -> None:
        """Write a file."""
        with translated("written", self.uri(key)):
            self.client.upload_file(str(path), self.bucket, key)

    def keep_only(self, folder: str, names: Collection[str]) -> None:
        """Delete everything below `folder`, which ends in a slash, but the files of these names."""
        with translated("listed", self.uri(folder)):
            answer = self.client.list_objects_v2(Bucket=self.bucket, Prefix=folder)
        kept = {folder + name for name in names}
        for other in (entry["Key"] for entry in answer.get("Contents", []) if entry["Key"] not in kept):
            with translated("deleted", self.uri(other)):
                self.client.delete_object(Bucket=self.bucket, Key=other)

    def write_json(self, content: dict[str, Any], key: str) -> None:
        """Write a JSON document."""
        ObjectStore(self.client).write(self.uri(key), json.dumps(content, indent=2).encode(), "application/json")
