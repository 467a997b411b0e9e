"""From a checked input to data in the bucket and the request for a training job."""

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
from ingest.errors import DataUnavailable, InvalidExecutionInput
from ingest.execution_input import SOURCE_RULE, ExecutionInput
from ingest.settings import Settings
from ingest.store import DataStore

SOURCE_PREFIX = "source/"
"""Where the files of one's own data set are put, in the data bucket."""

_SPLITS = ("train", "test")


def ingest(
    request: ExecutionInput,
    settings: Settings,
    store: DataStore,
    *,
    now: datetime,
    token: str,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """Collects the data, puts it into the bucket under its hash, and names the training job.

    Args:
        request: the checked input of the execution.
        settings: what the stack decides.
        store: the data bucket.
        now: the time in UTC; becomes part of the job's name.
        token: six hexadecimal digits that keep two jobs of one second apart.
        limits: timeouts and attempts of a download.

    Returns:
        What the next steps of the state machine read: ``job_name``, ``train_uri``, ``test_uri``, ``data_sha256``,
        ``source``, ``fell_back``, ``reason``, ``hyperparameters``.

    Raises:
        InvalidExecutionInput: the source in the input is none that can be asked.
        DataUnavailable: there is no data, or it could not be stored.
    """
    with tempfile.TemporaryDirectory() as folder:
        data = _collect(request, settings, store, Path(folder), limits)
        uris = _store(data, store, now)
    return {
        "job_name": f"{settings.job_name_prefix}-{now:%Y%m%d-%H%M%S}-{token}",
        **uris,
        "data_sha256": data.data_sha256,
        "source": data.source,
        "fell_back": data.fell_back,
        "reason": data.reason,
        "hyperparameters": request.hyperparameters,
    }


def _collect(
    request: ExecutionInput, settings: Settings, store: DataStore, folder: Path, limits: Limits | None
) -> CollectedData:
    """The data from the first source there is: the execution's, the bucket's, the configured one, the bundled one."""
    given = request.data_source
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
