"""The command `python -m ingest`: copies the files of a data set into a folder, all or none.

It prints their sizes and SHA-256 as JSON.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from ingest.collect import Progress, collect
from ingest.errors import DataUnavailableError
from ingest.sources.base import Limits

HELPFUL_SENTENCES_URL = "https://helpful-sentences-from-reviews.s3.amazonaws.com"
"""The AWS Open Data set "Helpful Sentences from Reviews" (CDLA-Sharing-1.0)."""

BUNDLED_DATA = Path(__file__).resolve().parents[2] / "training_job" / "data"
"""The small synthetic data set of the project."""


class ProgressLine:
    """Shows progress on `stream`: in a terminal a line that is rewritten, else one line for each finished file."""

    def __init__(self, stream: TextIO, *, interval: float = 0.1) -> None:
        self._stream = stream
        self._interval = interval  # seconds between two updates in a terminal
        self._next = 0.0

    def __call__(self, progress: Progress) -> None:
        """Show one step."""
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
    parser = argparse.ArgumentParser(prog="python -m ingest", description=__doc__)
    add = parser.add_argument
    add("--source", default=HELPFUL_SENTENCES_URL, help="http(s):// or s3:// address, or a path (default: %(default)s)")
    add("--destination", type=Path, required=True, help="folder for the files; created if missing")
    names = "names of the files (default: all that are found; train.json test.json below a web address)"
    add("--files", nargs="+", metavar="NAME", help=names)
    add("--fallback", type=Path, default=BUNDLED_DATA, metavar="FOLDER", help="used if the host cannot be reached")
    add("--no-fallback", action="store_true", help="fail if the host cannot be reached")
    add("--attempts", type=int, default=Limits.attempts, help="tries for each file (default: %(default)s)")
    add("--timeout", type=float, default=Limits.read_timeout, help="longest silence in s (default: %(default).0f)")
    add("--quiet", action="store_true", help="show no progress")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 if nothing was collected and 130 after Ctrl-C."""
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
    except DataUnavailableError as error:
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
