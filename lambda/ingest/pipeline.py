"""Brings the data from its source into the bucket, under its hash."""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from classifier.data.layout import MARKER
from ingest.addresses import AddressRule
from ingest.collect import CollectedData, collect, collect_bundled
from ingest.errors import DataUnavailableError, SourceInvalidError
from ingest.reading import refuse_other_reading
from ingest.settings import Settings
from ingest.sources.base import CHANNELS, Limits, channel_of
from ingest.store import DataStore
from shared.errors import DATA_SOURCE_RULE, InvalidExecutionInputError

SOURCE_PREFIX = "source/"
"""Where users upload their own data set, in the data bucket."""

LATEST = "datasets/latest"
"""A second copy of the last run's files, for a training job that is started by hand."""


def ingest(
    given: str | None,
    hyperparameters: Mapping[str, str],
    settings: Settings,
    store: DataStore,
    *,
    now: datetime,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """Collect the data and put it into the bucket under its hash, and as the latest.

    `given` is the source that the execution names, or None; `hyperparameters` are those of the training job that
    comes next; `now` is the time in UTC. Returns the input of the workflow's next steps: `train_uri`, `test_uri`,
    `data_sha256`, `source`, `fell_back`, `reason`.

    Raises InvalidExecutionInputError: The source in the input is not allowed. Raises OtherReadingError: The data was
    read otherwise than the hyperparameters say. Raises DataUnavailableError: There is no data. Raises StorageError: It
    could not be stored.
    """
    with tempfile.TemporaryDirectory() as folder:
        data = _collect(given, settings, store, Path(folder), limits)
        refuse_other_reading(data.files, hyperparameters)
        facts = {name: value for name, value in asdict(data).items() if name != "files"}
        root = f"datasets/{data.data_sha256[:16]}"
        _store(data, store, root)
        files = [
            {"key": f"{root}/{channel_of(file.name)}/{file.name}", "size": file.size, "sha256": file.sha256}
            for file in data.files
        ]
        # The manifest comes last: a data set that has one is complete.
        store.write_json(
            {**facts, "collected_at": f"{now:%Y-%m-%dT%H:%M:%SZ}", "files": files}, f"{root}/manifest.json"
        )
        _store(data, store, LATEST)
        for channel in CHANNELS:  # a training job reads all files of a channel
            names = {file.name for file in data.files if channel_of(file.name) == channel}
            store.keep_only(f"{LATEST}/{channel}/", names | {MARKER})
    return {**{f"{channel}_uri": f"{store.uri(root)}/{channel}/" for channel in CHANNELS}, **facts}


def _collect(
    given: str | None, settings: Settings, store: DataStore, folder: Path, limits: Limits | None
) -> CollectedData:
    """Collect from the execution's source, else from the bucket, the configured source or the bundled data set."""
    if given is not None and "://" not in given:  # it would be read as a folder of this machine
        raise InvalidExecutionInputError("data_source", "has no scheme", DATA_SOURCE_RULE)
    source = given or (store.uri(SOURCE_PREFIX) if store.has_files(SOURCE_PREFIX) else settings.data_source_url)
    # A data set that a user names is never replaced; the configured one may be.
    fallback = settings.bundled_data if source == settings.data_source_url else None
    if not source:
        return _bundled(settings, store, folder)
    rule = AddressRule(internal=settings.allow_internal)
    try:
        return collect(source, folder, fallback=fallback, limits=limits, rule=rule, s3_client=store.client)
    except DataUnavailableError as error:
        if given and isinstance(error, SourceInvalidError):
            raise InvalidExecutionInputError("data_source", error.message.rstrip("."), DATA_SOURCE_RULE) from error
        raise DataUnavailableError(str(error)) from error  # under one name, which Step Functions shows


def _bundled(settings: Settings, store: DataStore, folder: Path) -> CollectedData:
    if settings.bundled_data is None:
        raise DataUnavailableError(
            f"there is no data: put a file such as data.csv below {store.uri(SOURCE_PREFIX)}, or start the execution "
            'with {"data_source": "https://… or s3://…"}, or configure a data source.'
        )
    data = collect_bundled(folder, settings.bundled_data)
    return replace(data, fell_back=True, reason="No data source is configured.")


def _store(data: CollectedData, store: DataStore, root: str) -> None:
    """Store each file in the folder of its channel, and a marker in each channel."""
    for file in data.files:
        store.upload(file.path, f"{root}/{channel_of(file.name)}/{file.name}")
    for channel in CHANNELS:
        store.write_json({"data_sha256": data.data_sha256, "source": data.source}, f"{root}/{channel}/{MARKER}")
