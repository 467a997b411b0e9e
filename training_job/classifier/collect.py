"""Brings the raw data files to a folder of this machine: whole, or not at all.

Runs in a terminal (``python -m classifier.collect --help``), in ``make`` and in the ingest Lambda, so it needs nothing
but ``requests``, and boto3 for ``s3://``.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from classifier.errors import (
    ClassifierError,
    DestinationUnwritable,
    DiskFull,
    DownloadIncomplete,
    SourceUnreachable,
)
from classifier.sources import FolderSource, Limits, Source, Stream, open_source

HELPFUL_SENTENCES_URL = "https://helpful-sentences-from-reviews.s3.amazonaws.com"
"""The AWS Open Data set "Helpful Sentences from Reviews" (CDLA-Sharing-1.0)."""

BUNDLED_DATA = Path(__file__).resolve().parent.parent / "data"
"""The small synthetic data set that travels with this package."""

BUNDLED_NAME = "bundled"
"""How the bundled data set is named as a source, wherever it lies."""

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True)
class CollectedFile:
    """One file in the destination: ``size`` in bytes, ``sha256`` in hexadecimal."""

    name: str
    path: Path
    size: int
    sha256: str


@dataclass(frozen=True)
class CollectedData:
    """What was collected.

    ``data_sha256`` identifies the whole set: the SHA-256 of the lines ``<sha256>  <name>`` sorted by name, as
    ``sha256sum test.json train.json | sha256sum`` prints it. ``source`` is the one that was used; if that is not the
    one asked for, ``fell_back`` is true and ``reason`` says why.
    """

    files: tuple[CollectedFile, ...]
    data_sha256: str
    source: str
    fell_back: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Progress:
    """How far one file is: ``received`` of ``total`` bytes, None if the total was not announced."""

    name: str
    received: int
    total: int | None
    done: bool = False


ProgressCallback = Callable[[Progress], None]


def collect(
    source: str,
    destination: Path | str,
    *,
    files: Sequence[str] | None = None,
    fallback: Path | None = None,
    limits: Limits | None = None,
    progress: ProgressCallback | None = None,
    check_url: Callable[[str], None] | None = None,
    s3_client: Any = None,
) -> CollectedData:
    """Copies the train and the test file from ``source`` into ``destination``.

    The files appear under their names only after all of them are complete; whatever goes wrong before (an interrupted
    connection, a full disk, Ctrl-C) leaves nothing new behind.

    Args:
        source: prefix ``http(s)://…`` or ``s3://…``, or the path of a folder.
        destination: folder for the files; made if missing.
        files: their names. By default ``train`` and ``test`` with a known ending where the source can be listed, and
            ``train.json`` and ``test.json`` below a web address.
        fallback: folder to take the files from if the host can't be reached; the result says so.
        limits: timeouts and number of attempts.
        progress: called after every block of bytes and once at the end of each file.
        check_url: called with every web address before it is requested, redirects included; raises to refuse it.
        s3_client: a boto3 S3 client to use instead of one from the environment.

    Raises:
        CollectError: the subclass says what went wrong; only SourceUnreachable leads to the fallback.
    """
    limits = limits or Limits()
    destination = Path(destination)
    try:
        place = open_source(source, limits, check_url=check_url, s3_client=s3_client)
        return _collect(place, destination, files, limits, progress)
    except SourceUnreachable as error:
        if fallback is None:
            raise
        bundled = collect_bundled(destination, fallback, progress=progress)
        return replace(bundled, fell_back=True, reason=error.message)


def collect_bundled(
    destination: Path | str, folder: Path = BUNDLED_DATA, *, progress: ProgressCallback | None = None
) -> CollectedData:
    """Copies the bundled data set from ``folder`` into ``destination``."""
    return _collect(FolderSource(folder, BUNDLED_NAME), Path(destination), None, Limits(), progress)


def _collect(
    source: Source,
    destination: Path,
    files: Sequence[str] | None,
    limits: Limits,
    progress: ProgressCallback | None,
) -> CollectedData:
    parts: list[Path] = []
    fetched: list[CollectedFile] = []
    try:
        names = tuple(files) if files is not None else source.find_files()
        with _writing(destination, source):
            destination.mkdir(parents=True, exist_ok=True)
        for name in names:
            part = destination / f".{name}.{secrets.token_hex(4)}.part"
            parts.append(part)
            fetched.append(_fetch(source, name, part, limits, progress))
        for part, file in zip(parts, fetched, strict=True):
            with _writing(file.path, source):
                part.replace(file.path)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    lines = "".join(f"{file.sha256}  {file.name}\n" for file in sorted(fetched, key=lambda file: file.name))
    return CollectedData(tuple(fetched), hashlib.sha256(lines.encode()).hexdigest(), source.name)


def _fetch(source: Source, name: str, part: Path, limits: Limits, progress: ProgressCallback | None) -> CollectedFile:
    """Copies one file into ``part``, trying again while the failure may pass."""
    attempt = 1
    while True:
        try:
            with source.open(name) as stream:
                size, sha256 = _copy(stream, source, name, part, limits, progress)
            return CollectedFile(name, part.parent / name, size, sha256)
        except SourceUnreachable as error:
            if attempt == limits.attempts:
                raise
            time.sleep(min(max(limits.backoff * 2 ** (attempt - 1), error.retry_after), limits.max_wait))
            attempt += 1


def _copy(
    stream: Stream, source: Source, name: str, part: Path, limits: Limits, progress: ProgressCallback | None
) -> tuple[int, str]:
    """Writes the stream into ``part``; its number of bytes and their SHA-256."""
    digest = hashlib.sha256()
    received = 0
    deadline = time.monotonic() + limits.time_limit
    with _writing(part, source), part.open("wb") as file:
        for chunk in stream.chunks:
            file.write(chunk)
            digest.update(chunk)
            received += len(chunk)
            if progress:
                progress(Progress(name, received, stream.size))
            if time.monotonic() > deadline:
                raise SourceUnreachable(
                    f"{name} from {source.name} was not complete after {limits.time_limit:g} s.",
                    source=source.name,
                    hint="Try again on a faster connection.",
                )
        file.flush()
        os.fsync(file.fileno())  # else a power cut after the rename could leave an empty file under the final name
    if stream.size is not None and received != stream.size:
        raise DownloadIncomplete(
            f"{name} from {source.name} has {received} bytes, {stream.size} were announced.",
            source=source.name,
            received=received,
            expected=stream.size,
            hint="Try again.",
        )
    if progress:
        progress(Progress(name, received, stream.size, done=True))
    return received, digest.hexdigest()


@contextmanager
def _writing(path: Path, source: Source) -> Iterator[None]:
    """Translates what the file system says about writing ``path``."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise DiskFull(
                f"no space left to write {path} ({error.strerror}).",
                source=source.name,
                path=path,
                hint="Free some space, or choose another destination; nothing was left behind.",
            ) from error
        raise DestinationUnwritable(
            f"{path} cannot be written: {error.strerror or error}.",
            source=source.name,
            path=path,
            hint="Choose a destination folder that you may write to.",
        ) from error


class ProgressLine:
    """Shows progress on ``stream``: a line that is rewritten in a terminal, else one line for each finished file."""

    def __init__(self, stream: TextIO, *, interval: float = 0.1) -> None:
        self._stream = stream
        self._interval = interval  # seconds between two updates in a terminal
        self._next = 0.0

    def __call__(self, progress: Progress) -> None:
        """Shows one step."""
        live = self._stream.isatty()
        now = time.monotonic()
        if not progress.done and (not live or now < self._next):
            return
        self._next = now + self._interval
        total = "" if progress.total is None else f" of {progress.total / 1e6:.1f}"
        line = f"{progress.name}  {progress.received / 1e6:.1f}{total} MB"
        self._stream.write(f"{chr(13) if live else ''}{line}{chr(10) if progress.done else ''}")
        self._stream.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m classifier.collect",
        description="Copies the train and the test file of a data set into a folder, whole or not at all, and prints "
        "their sizes and SHA-256 as JSON.",
    )
    parser.add_argument(
        "--source", default=HELPFUL_SENTENCES_URL, help="http(s):// or s3:// prefix, or a folder (default: %(default)s)"
    )
    parser.add_argument("--destination", type=Path, required=True, help="folder for the files; made if missing")
    parser.add_argument(
        "--files", nargs="+", metavar="NAME", help="names of the files (default: train.json test.json, or as found)"
    )
    parser.add_argument(
        "--fallback", type=Path, default=BUNDLED_DATA, metavar="FOLDER", help="used if the host can't be reached"
    )
    parser.add_argument("--no-fallback", action="store_true", help="fail if the host can't be reached")
    parser.add_argument("--attempts", type=int, default=Limits.attempts, help="tries for each file (default: 3)")
    parser.add_argument("--timeout", type=float, default=Limits.read_timeout, help="longest silence in s (default: 30)")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit status is 1 if nothing was collected and 130 after Ctrl-C."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        limits = Limits(
            connect_timeout=min(Limits.connect_timeout, options.timeout),
            read_timeout=options.timeout,
            attempts=options.attempts,
        )
    except ValueError as error:
        parser.error(str(error))
    try:
        data = collect(
            options.source,
            options.destination,
            files=options.files,
            fallback=None if options.no_fallback else options.fallback,
            limits=limits,
            progress=None if options.quiet else ProgressLine(sys.stderr),
        )
    except ClassifierError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing was left behind\n")
        return 130
    if data.fell_back:
        sys.stderr.write(f"warning: {data.reason} The bundled synthetic data set is used instead.\n")
    sys.stdout.write(json.dumps(asdict(data), indent=2, default=str) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
