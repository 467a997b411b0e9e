"""What every source of data files provides, and its limits."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingest.errors import DataUnavailableError

CHANNELS = ("train", "test")
CHUNK_BYTES = 1 << 18
ALLOWED = "an http(s):// or s3:// prefix, or a single file, with the data"
SUFFIXES = (
    *(".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".tab", ".txt", ".parquet", ".pq", ".xlsx", ".xls"),
    *(".gz", ".bz2", ".xz", ".zst", ".zip"),
)
"""Endings of data files. What is in a file is found out by the training job, which reads it."""
MAX_FILES = 20
MARKER = "ingest.json"
"""Lies in every channel, because SageMaker refuses a channel without a file. It is no data."""

_NO_DATA = re.compile(r"(readme|licen[cs]e|notice|changelog|requirements)\b|[._~]|ingest\.json$", re.IGNORECASE)
_NO_ROWS = ("manifest.json", "labels.txt", "classes.txt", "label_names.txt")
_TEST = {"test", "testing"}
_VALIDATION = {"validation", "valid", "val", "dev"}
_OTHER = {"train", "training"} | _VALIDATION


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Timeouts, retries and size. Times in seconds."""

    connect_timeout: float = 5.0
    """Longest wait for a connection."""
    read_timeout: float = 30.0
    """Longest silence while reading."""
    time_limit: float = 600.0
    """Longest time for one file, because a host may send one byte at a time."""
    attempts: int = 3
    """Tries for each file. Only failures that may pass are tried again."""
    backoff: float = 0.5
    """Wait before the second try; it doubles with each one. A longer `Retry-After` of the host is respected."""
    max_wait: float = 10.0
    """Longest wait between two tries, whatever the host asks for."""
    max_bytes: int = 1 << 30
    """Most bytes of a data set. The function has twice as much disk, and a packed answer could fill any."""


@dataclass(frozen=True)
class Stream:
    """The bytes of one file."""

    size: int | None
    """The announced number of bytes, or None."""
    chunks: Iterator[bytes]


def is_data_file(name: str) -> bool:
    """Tell whether a file's name is one of a data file, or of the manifest or labels that travel with it."""
    return name.lower().endswith(SUFFIXES) and ".tar." not in name.lower() and not _NO_DATA.match(name)


def channel_of(name: str) -> str:
    """Return the channel of a file: `test` for the test file, by its name, else `train`.

    The training job takes names in the same way.
    """
    words = _words(name)
    return "test" if words & _TEST and not words & _OTHER else "train"


def _words(name: str) -> set[str]:
    return set(re.split(r"[^a-z]+", name.split(".")[0].lower()))


def _holds_training_rows(name: str) -> bool:
    words = _words(name)
    only_validation = words & _VALIDATION and not words & (_TEST | _OTHER - _VALIDATION)
    return channel_of(name) == "train" and not only_validation and name not in _NO_ROWS


def data_files(names: Iterable[str], source: str) -> tuple[str, ...]:
    """Return the data files among `names`, sorted.

    Raises DataUnavailableError: None of them is for training, or there are too many.
    """
    present = sorted(names)
    found = tuple(name for name in present if is_data_file(name))
    if not any(_holds_training_rows(name) for name in found):
        raise DataUnavailableError(
            f"{source} holds no training data; found: {', '.join(present[:MAX_FILES]) or 'nothing'}.",
            hint="Put one file there, such as data.csv, or train and test files, such as train.csv and test.csv.",
        )
    if len(found) > MAX_FILES:
        raise DataUnavailableError(
            f"{source} holds {len(found)} data files; up to {MAX_FILES} are allowed.",
            hint="Join the parts into one file, or into train.csv and test.csv.",
        )
    return found
