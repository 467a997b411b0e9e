"""Labelled data of one's own: read as the training job reads it, and put into the data bucket."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from operations import paths
from operations.aws.deployment import Deployment
from operations.console import say
from operations.errors import OperationError

if TYPE_CHECKING:
    from classifier.data.dataset import DataSettings, LabelledData
    from operations.aws.registry import Package

PREFIX = "source/"  # files below it win over the public data set: lambda/ingest looks here first
BUNDLED = paths.ROOT / "training_job" / "data"


def read(place: Path, hyperparameters: dict[str, str], quarantine: Path | None = None, **more: Any) -> LabelledData:
    """Read a file or a folder as the training job does; raise OperationError where something is refused.

    Of the job's hyperparameters those count that say how data is read; `more` are settings that are none. `quarantine`
    is a folder for the rows set aside.
    """
    from classifier.data.dataset import load_data  # pandas takes a second to import
    from classifier.errors import ClassifierError

    try:
        return load_data(place, None, replace(settings(hyperparameters), **more), quarantine=quarantine)
    except ClassifierError as error:
        raise OperationError(error.message, hint=error.hint or "make data DATA=file shows how it is read") from error


def settings(hyperparameters: dict[str, str]) -> DataSettings:
    """Return the hyperparameters that say how data is read; raise ClassifierError for a wrong one."""
    from classifier.data.dataset import DataSettings
    from classifier.job.hyperparameters import Hyperparameters

    return DataSettings.of(Hyperparameters.parse(hyperparameters))


def without_reading(hyperparameters: dict[str, str]) -> dict[str, str]:
    """Return the hyperparameters that are about training alone: the others travel with the data."""
    from classifier.data.dataset import DataSettings

    reading = DataSettings.__dataclass_fields__.keys() - {"seed", "objective"}
    return {name: value for name, value in hyperparameters.items() if name.replace("-", "_") not in reading}


def upload(deployment: Deployment, data: LabelledData, prefix: str = PREFIX, *, channels: bool = False) -> bool:
    """Put the canonical files and their manifest into the data bucket, by default where the ingest step looks first.

    Other files below the prefix, which ends in a slash, are deleted, because they would be read too. With `channels`
    the test file gets a folder of its own, as the channels of a training job need it. Returns False where the bucket
    already held these files.
    """
    s3, bucket = deployment.client("s3"), deployment.output("DataBucket")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    stored = {item["Key"]: item["ETag"].strip('"') for page in pages for item in page.get("Contents", [])}
    with tempfile.TemporaryDirectory(dir=paths.SCRATCH) as folder:
        data.write(Path(folder))
        wanted = {prefix + _place(file.name, channels=channels): file for file in sorted(Path(folder).iterdir())}
        if channels:  # SageMaker refuses a channel without a file
            wanted.setdefault(f"{prefix}test/ingest.json", Path(folder) / "manifest.json")
        # put_object, not a multipart upload: the ETag is then the MD5 of the object.
        changed = [key for key, file in wanted.items() if stored.get(key) != _md5(file.read_bytes())]
        for key in changed:
            s3.put_object(Bucket=bucket, Key=key, Body=wanted[key].read_bytes())
    replaced = [key for key in stored if key not in wanted and not key.endswith("/")]
    for key in replaced:
        s3.delete_object(Bucket=bucket, Key=key)
    if replaced:
        names = ", ".join(key.removeprefix(prefix) for key in replaced)
        say(f"  replaced below s3://{bucket}/{prefix}: {names}")
    return bool(changed)


def is_untrained(deployment: Deployment, place: Path, data: LabelledData, champion: Package) -> bool:
    """Tell whether this data was uploaded after the champion was registered, which learned other data.

    So it is before the first training on it, and after one that failed or was interrupted. An earlier version uploaded
    the original files as they are; a champion that learned those knows the data too.
    """
    bucket = deployment.output("DataBucket")
    stored = deployment.client("s3").head_object(Bucket=bucket, Key=f"{PREFIX}manifest.json")
    with tempfile.TemporaryDirectory(dir=paths.SCRATCH) as folder:
        data.write(Path(folder))
        known = {_ingested(list(Path(folder).iterdir()))}
    if not data.manifest["source"].get("settings"):  # else an earlier version would have read them in another way
        names = {file["name"] for file in data.manifest["source"]["files"].values()}
        known.add(_ingested([place] if place.is_file() else [one for one in place.rglob("*") if one.name in names]))
    return bool(stored["LastModified"] > champion.created) and champion.metadata.get("data_sha256") not in known


def _ingested(files: list[Path]) -> str:
    """Return the hash by which the ingest step knows these files."""
    named = sorted((file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files)
    return hashlib.sha256("".join(f"{digest}  {name}\n" for name, digest in named).encode()).hexdigest()


def _place(name: str, *, channels: bool) -> str:
    return name if not channels else f"{'test' if name == 'test.jsonl' else 'train'}/{name}"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
