"""What every source of data files provides, and its limits."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from classifier.data.layout import LABELS_FILES, MANIFEST, is_data_file, role_of
from ingest.errors import DataUnavailableError

CHANNELS = ("train", "test")
CHUNK_BYTES = 1 << 18
ALLOWED = "an http(s):// or s3:// prefix, or a single file, with the data"
MAX_FILES = 20


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


def channel_of(name: str) -> str:
    """Return the channel of a file: `test` for the test file, by its name, else `train`."""
    return "test" if role_of(name.split(".")[0]) == "test" else "train"


def _holds_training_rows(name: str) -> bool:
    return role_of(name.split(".")[0]) not in ("test", "validation") and name not in (MANIFEST, *LABELS_FILES)


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
