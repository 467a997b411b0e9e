"""Refuses hyperparameters that contradict how the data was read, before a training job is paid for."""

import json
from collections.abc import Iterable, Mapping

from classifier.data import canonical
from classifier.data.layout import MANIFEST
from classifier.data.settings import DataSettings
from classifier.errors import ClassifierError
from classifier.job.hyperparameters import Hyperparameters
from ingest.collect import CollectedFile
from shared.errors import FunctionError

_LARGEST = 16 * 1024 * 1024
"""Bytes of a manifest that is looked at, many times what 1,000 labels take: the function has a gigabyte of memory."""


class OtherReadingError(FunctionError):
    """The execution asks for another reading than the one that the manifest beside the data describes."""


def refuse_other_reading(files: Iterable[CollectedFile], hyperparameters: Mapping[str, str]) -> None:
    """Compare the hyperparameters with the manifest, if there is one, as the training job does at its start.

    Raises OtherReadingError: They contradict each other.
    """
    manifest = next((file for file in files if file.name == MANIFEST), None)
    if manifest is None or manifest.size > _LARGEST:
        return
    try:
        settings = DataSettings.of(Hyperparameters.parse(hyperparameters))
        canonical.refuse_other_reading(json.loads(manifest.path.read_bytes()), settings)
    except ClassifierError as error:
        raise OtherReadingError(f"{error.message} {error.hint}".rstrip()) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return  # a damaged manifest: the job says so
