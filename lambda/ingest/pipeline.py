"""From a data source to files in the bucket, named by their hash."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from classifier.collect import CollectedData, collect, collect_bundled
from classifier.errors import CollectError, SourceInvalid
from classifier.sources import Limits
from ingest.addresses import refuse_internal
from ingest.errors import SOURCE_RULE, DataUnavailable, InvalidExecutionInput
from ingest.settings import Settings
from ingest.store import DataStore

SOURCE_PREFIX = "source/"
"""Where the files of one's own data set are put, in the data bucket."""

LATEST = "datasets/latest"
"""Where the files of the last run lie besides, for a training job that somebody starts by hand."""

_SPLITS = ("train", "test")


def ingest(
    given: str | None, settings: Settings, store: DataStore, *, now: datetime, limits: Limits | None = None
) -> dict[str, Any]:
    """Collects the data and puts it into the bucket under its hash, and as the latest.

    Args:
        given: the source that the execution names, if it does.
        settings: what the stack decides.
        store: the data bucket.
        now: the time in UTC, for the manifest.
        limits: timeouts and attempts of a download.

    Returns:
        What the next steps of the state machine read: ``train_uri``, ``test_uri``, ``data_sha256``, ``source``,
        ``fell_back``, ``reason``.

    Raises:
        InvalidExecutionInput: the source in the input is none that can be asked.
        DataUnavailable: there is no data, or it could not be stored.
    """
    with tempfile.TemporaryDirectory() as folder:
        data = _collect(given, settings, store, Path(folder), limits)
        uris = _store(data, store, now)
        _store_as_latest(data, store)
    return {
        **uris,
        "data_sha256": data.data_sha256,
        "source": data.source,
        "fell_back": data.fell_back,
        "reason": data.reason,
    }


def _collect(
    given: str | None, settings: Settings, store: DataStore, folder: Path, limits: Limits | None
) -> CollectedData:
    """The data from the first source there is: the execution's, the bucket's, the configured one, the bundled one."""
    if given is not None and "://" not in given:  # would be read as a folder of this machine
        raise InvalidExecutionInput("data_source", "has no scheme", SOURCE_RULE)
    source = given or (store.uri(SOURCE_PREFIX) if store.has_files(SOURCE_PREFIX) else settings.data_source_url)
    # Somebody who names a data set means that one; only the address of the configuration may be replaced.
    fallback = settings.bundled_data if source == settings.data_source_url else None
    if not source:
        return _bundled(settings, store, folder)
    try:
        return collect(
            source, folder, fallback=fallback, limits=limits, check_url=refuse_internal, s3_client=store.client
        )
    except SourceInvalid as error:
        if given:
            raise InvalidExecutionInput("data_source", error.message.rstrip("."), SOURCE_RULE) from error
        raise DataUnavailable(source, str(error)) from error
    except CollectError as error:
        raise DataUnavailable(source, str(error)) from error


def _bundled(settings: Settings, store: DataStore, folder: Path) -> CollectedData:
    if settings.bundled_data is None:
        raise DataUnavailable(
            store.uri(SOURCE_PREFIX),
            f"there is no data: put train.json and test.json below {store.uri(SOURCE_PREFIX)}, or start the execution "
            'with {"data_source": "https://… or s3://…"}, or configure a data source.',
        )
    data = collect_bundled(folder, settings.bundled_data)
    return replace(data, fell_back=True, reason="No data source is configured.")


def _store(data: CollectedData, store: DataStore, now: datetime) -> dict[str, str]:
    """Uploads the files, the manifest last: where it lies, the data set is complete."""
    root = f"datasets/{data.data_sha256[:16]}"
    for split, file in zip(_SPLITS, data.files, strict=True):
        store.upload(file.path, f"{root}/{split}/{file.name}")
    manifest = {
        "data_sha256": data.data_sha256,
        "source": data.source,
        "fell_back": data.fell_back,
        "reason": data.reason,
        "collected_at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "files": [
            {"key": f"{root}/{split}/{file.name}", "size": file.size, "sha256": file.sha256}
            for split, file in zip(_SPLITS, data.files, strict=True)
        ],
    }
    store.write_json(manifest, f"{root}/manifest.json")
    return {f"{split}_uri": f"{store.uri(root)}/{split}/" for split in _SPLITS}


def _store_as_latest(data: CollectedData, store: DataStore) -> None:
    """The same files under names that do not change. A job takes one file a channel, so former ones go."""
    for split, file in zip(_SPLITS, data.files, strict=True):
        store.upload(file.path, f"{LATEST}/{split}/{file.name}")
        store.keep_only(f"{LATEST}/{split}/{file.name}")
