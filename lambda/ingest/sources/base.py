"""What every source of data files provides, and its limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingest.errors import DataUnavailableError

SPLITS = ("train", "test")
CHUNK_BYTES = 1 << 18
ALLOWED = "an http(s):// or s3:// prefix, or a folder, that holds the data files"
SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Timeouts and retries. Times in seconds."""

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

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts is {self.attempts}; 1 or more is allowed")
        for name in ("connect_timeout", "read_timeout", "time_limit"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; a number of seconds above 0 is allowed")


@dataclass(frozen=True)
class Stream:
    """The bytes of one file."""

    size: int | None
    """The announced number of bytes, or None."""
    chunks: Iterator[bytes]


def split_files(names: Iterable[str], source: str) -> tuple[str, ...]:
    """Find the train and the test file among `names`: `train` and `test` with a known suffix, JSON before CSV.

    Raises:
        DataUnavailableError: One of them is missing.
    """
    present = set(names)
    found = []
    for split in SPLITS:
        candidates = [split + suffix for suffix in SUFFIXES if split + suffix in present]
        if not candidates:
            shown = ", ".join(sorted(present)[:20]) or "nothing"
            raise DataUnavailableError(
                f"{source} holds no {split} file; {split}{'|'.join(SUFFIXES)} is allowed, found: {shown}.",
                hint="Put train.json and test.json (or .csv) there.",
            )
        found.append(candidates[0])
    return tuple(found)
