"""Gives damaged inputs to a target for some time; run as a program, it does so with a process of its own.

`python -m fuzzing.run TARGET SECONDS FOLDER` writes each kind of failure into FOLDER: the input, and what came out.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import resource
import signal
import sys
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from fuzzing.mutation import mutated

SECONDS_PER_INPUT = 10.0
"""Of the processor: a reader that computes longer on an input of at most a megabyte hangs."""
ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Target(ABC):
    """One reader of outside input: good inputs, and a check that raises where the reader does what it must not."""

    seeds: Sequence[bytes]

    @abstractmethod
    def check(self, data: bytes) -> None:
        """Read an input; raise AssertionError, or what the reader let out."""


@dataclass
class Outcome:
    """What came out: how many inputs, and the failures by their kind (error and the product's line)."""

    inputs: int = 0
    slowest: float = 0.0
    failures: dict[str, tuple[bytes, str]] = field(default_factory=dict)


class TooSlowError(BaseException):
    """The reader took too long; no handler of the product takes it for an error of its own."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TooSlowError in the main thread after some seconds of the processor's time: the machine may be busy."""

    def late(*_: object) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def fuzz(
    target: Target, random: Random, *, inputs: int = 1 << 60, seconds: float = 1e9, current: Path | None = None
) -> Outcome:
    """Check damaged inputs until the number or the time is reached; `current` keeps the one that is being read."""
    found, end = Outcome(), time.monotonic() + seconds
    while found.inputs < inputs and time.monotonic() < end:
        data = mutated(target.seeds, random)
        if current:  # what ends the whole process leaves it behind
            current.write_bytes(data)
        started = time.process_time()
        try:
            with limited(SECONDS_PER_INPUT):
                target.check(data)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            found.failures.setdefault(_kind(error), (data, "".join(traceback.format_exception(error)[-12:])))
        found.slowest = max(found.slowest, time.process_time() - started)
        found.inputs += 1
    return found


def _kind(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(str(ROOT))]
    ours = [frame for frame in frames if "/tests/" not in frame.filename and "/.venv" not in frame.filename]
    where = (ours or frames)[-1] if ours or frames else None
    return f"{type(error).__name__} in {Path(where.filename).relative_to(ROOT)}:{where.name}" if where else repr(error)


def load(name: str) -> Target:
    """Return the target of this name: the class `Fuzzed` of the module `fuzzing.NAME`."""
    made: Target = importlib.import_module(f"fuzzing.{name}").Fuzzed()
    return made


def main(name: str, seconds: float, folder: Path) -> int:
    """Fuzz one target and print the outcome as JSON."""
    limit = 6 << 30  # the libraries that read Parquet reserve address space; a bomb takes more
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    seed = int.from_bytes(os.urandom(4))
    folder.mkdir(parents=True, exist_ok=True)
    current = folder / f"{name}-current.input"
    found = fuzz(load(name), Random(seed), seconds=seconds, current=current)
    current.unlink()
    for number, (kind, (data, trace)) in enumerate(found.failures.items()):
        (folder / f"{name}-{number}.input").write_bytes(data)
        (folder / f"{name}-{number}.txt").write_text(f"{kind}\n{trace}", encoding="utf-8", errors="backslashreplace")
    facts = {"target": name, "seed": seed, "inputs": found.inputs, "slowest_seconds": round(found.slowest, 2)}
    print(json.dumps({**facts, "peak_mb": _peak(), "failures": list(found.failures)}), flush=True)
    return len(found.failures)


def _peak() -> int | None:
    """Return the most memory in MB, without what the starting process had; None where Linux does not tell it."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.is_file() else None
    return int(found[1]) // 1024 if found else None


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])), 100))
