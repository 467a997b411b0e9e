"""Copies the data files into a folder of this machine, which is thrown away unless all of them are complete."""

import hashlib
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ingest.addresses import AddressRule
from ingest.errors import DataUnavailableError, SourceUnreachableError
from ingest.sources import Source, open_source
from ingest.sources.base import Limits, Stream, data_files

BUNDLED_NAME = "bundled"
"""Name of the bundled data set as a source, wherever its folder is."""


@dataclass(frozen=True)
class CollectedFile:
    """One file in the destination: `size` in bytes, `sha256` in hexadecimal."""

    name: str
    path: Path
    size: int
    sha256: str


@dataclass(frozen=True)
class CollectedData:
    """The collected files."""

    files: tuple[CollectedFile, ...]
    data_sha256: str
    """Identifies the data set: SHA-256 of the lines `<sha256>  <name>`, sorted by name, as `sha256sum` prints them."""
    source: str
    """The source that was used."""
    fell_back: bool = False
    """Whether it is another source than the requested one; `reason` then says why."""
    reason: str = ""


def collect(
    source: str,
    destination: Path,
    *,
    fallback: Path | None = None,
    limits: Limits | None = None,
    rule: AddressRule | None = None,
    s3_client: Any = None,
) -> CollectedData:
    """Copy the data files from `source` into the folder `destination`; raise DataUnavailableError.

    `source` is a prefix or file at `http(s)://…` or `s3://…`. Below a web address, which cannot be listed, the files
    are `train.json` and `test.json`. Those of the folder `fallback` are copied if the host cannot be reached; the
    result says so. `rule` says which web hosts may be connected to, also after a redirect; by default all.
    """
    limits = limits or Limits()
    try:
        place = open_source(source, limits, rule=rule, s3_client=s3_client)
        return _Copier(place, limits).copy_all(destination)
    except SourceUnreachableError as error:
        if fallback is None:
            raise
        return replace(collect_bundled(destination, fallback), fell_back=True, reason=error.message)


def collect_bundled(destination: Path, folder: Path) -> CollectedData:
    """Copy the bundled data set from `folder` into `destination`."""
    files = []
    for name in data_files((entry.name for entry in folder.iterdir() if entry.is_file()), BUNDLED_NAME):
        path = Path(shutil.copyfile(folder / name, destination / name))
        content = path.read_bytes()
        files.append(CollectedFile(name, path, len(content), hashlib.sha256(content).hexdigest()))
    return _collected(files, BUNDLED_NAME)


def _collected(files: list[CollectedFile], source: str) -> CollectedData:
    lines = "".join(f"{file.sha256}  {file.name}\n" for file in sorted(files, key=lambda file: file.name))
    return CollectedData(tuple(files), hashlib.sha256(lines.encode()).hexdigest(), source)


@dataclass(frozen=True)
class _Copier:
    source: Source
    limits: Limits

    def _refuse_more(self, size: int, name: str) -> None:
        """Raise if `size` bytes are more than may be collected. A packed answer grows while it is read."""
        if size > self.limits.max_bytes:
            raise DataUnavailableError(
                f"{name} from {self.source.name} makes more than {self.limits.max_bytes / 1e6:.0f} MB of data; "
                "that is the limit of one data set.",
                hint="Leave rows out, or keep fewer columns.",
            )

    def copy_all(self, destination: Path) -> CollectedData:
        fetched: list[CollectedFile] = []
        for name in self.source.find_files():
            fetched.append(self._fetch(destination / name, sum(file.size for file in fetched)))
        return _collected(fetched, self.source.name)

    def _fetch(self, path: Path, before: int) -> CollectedFile:
        """Copy one file to `path`, after `before` bytes of others; try again while the failure may pass."""
        attempt = 1
        while True:
            try:
                with self.source.open(path.name) as stream:
                    return self._copy(stream, path, before)
            except SourceUnreachableError as error:
                if attempt == self.limits.attempts:
                    raise
                wait = max(self.limits.backoff * 2 ** (attempt - 1), error.retry_after)
                time.sleep(min(wait, self.limits.max_wait))
                attempt += 1

    def _copy(self, stream: Stream, path: Path, before: int) -> CollectedFile:
        digest, received, name = hashlib.sha256(), 0, path.name
        self._refuse_more(before + (stream.size or 0), name)
        deadline = time.monotonic() + self.limits.time_limit
        with path.open("wb") as file:
            for chunk in stream.chunks:
                received += len(chunk)
                self._refuse_more(before + received, name)
                file.write(chunk)
                digest.update(chunk)
                if time.monotonic() > deadline:
                    problem = f"{name} from {self.source.name} was not complete after {self.limits.time_limit:g} s."
                    raise SourceUnreachableError(problem, hint="Try again on a faster connection.")
        if stream.size is not None and received != stream.size:
            problem = f"{name} from {self.source.name} has {received} bytes, {stream.size} were announced."
            raise SourceUnreachableError(problem, hint="Try again.")
        return CollectedFile(name, path, received, digest.hexdigest())
