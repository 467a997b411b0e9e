"""The labelled data of a run, and how a folder of one's own gets into the data bucket."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from operations import paths
from operations.aws.deployment import Deployment
from operations.errors import OperationError

FILES = ("train.json", "test.json")
PREFIX = "source/"  # files below it win over the public data set: lambda/ingest looks here first
BUNDLED = paths.ROOT / "training_job" / "data"


def default_folder() -> Path:
    """Return the folder that DATA names, else the bundled synthetic data set."""
    return Path(os.environ.get("DATA") or BUNDLED)


def require_files(folder: Path) -> None:
    """Refuse a folder that lacks train.json or test.json, before anything is started for it."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise OperationError(
            f"{folder} lacks {' and '.join(missing)}.",
            hint=f"DATA names a folder with {FILES[0]} and {FILES[1]} (JSON Lines)",
        )


def upload(deployment: Deployment, folder: Path, prefix: str = PREFIX) -> bool:
    """Put train.json and test.json of `folder` into the data bucket, by default where the ingest step looks first.

    Returns:
        False where the bucket already holds exactly these files.
    """
    require_files(folder)
    s3, bucket = deployment.client("s3"), deployment.output("DataBucket")
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    stored = {item["Key"]: item["ETag"].strip('"') for item in listed}
    # put_object, not a multipart upload: the ETag is then the MD5 of the object.
    changed = [name for name in FILES if stored.get(prefix + name) != _md5(folder / name)]
    for name in changed:
        s3.put_object(Bucket=bucket, Key=prefix + name, Body=(folder / name).read_bytes())
    return bool(changed)


def _md5(file: Path) -> str:
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
