"""The processes of one training: alone usually, several in step under torchrun.

torchrun tells each process its number and where the others meet (``RANK``, ``WORLD_SIZE``, ``MASTER_ADDR``, …). The
Trainer shares the gradients; what is here is the rest: one process decides and speaks, and a failure of one is the
failure of all, with the reason of the one that failed first.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from classifier.errors import OtherProcessFailed, ProcessesInvalid

TORCHRUN_HYPERPARAMETER = "sagemaker_torch_distributed_enabled"
"""With the value ``true`` the container's toolkit starts the script through torchrun, on all instances of the job."""

PATIENCE_SECONDS = 1800.0
"""How long a process waits for the others: as long as torch does at a collective operation."""

_POLL_SECONDS = 0.1
_FAILURE = "failure"


class Store(Protocol):
    """What is used of torch's key-value store, which all processes of a training reach."""

    def set(self, key: str, value: str) -> None:
        """Writes a value."""

    def get(self, key: str) -> bytes:
        """Reads a value; waits for it if there is none."""

    def check(self, keys: list[str]) -> bool:
        """Whether all of these keys have values."""

    def compare_set(self, key: str, expected: str, desired: str) -> bytes:
        """Writes ``desired`` if the value is ``expected`` (empty: there is none); returns what then stands there."""


@dataclass(frozen=True)
class Failure:
    """Why a training failed, and in which process first."""

    rank: int
    reason: str


class Processes:
    """This process among those of the training; ``rank`` counts from 0, which is the main one."""

    def __init__(self, rank: int = 0, count: int = 1, store: Store | None = None) -> None:
        """A training of a single process needs no store."""
        self.rank = rank
        self.count = count
        self._store = store

    @classmethod
    def join(cls, environ: Mapping[str, str]) -> Processes:
        """The processes that torchrun started; a single one if the script was started by itself.

        Raises:
            ProcessesInvalid: torchrun's variables make no sense, or a job of several instances was started without it.
        """
        rank, count = _number(environ, "RANK", 0), _number(environ, "WORLD_SIZE", 1)
        hosts = _hosts(environ)
        if count == 1 and hosts > 1:
            raise ProcessesInvalid(
                f"The job has {hosts} instances, and each of them runs the script for itself.",
                hint=f"Give the hyperparameter {TORCHRUN_HYPERPARAMETER}=true, or take one instance.",
            )
        if not 0 <= rank < count:
            raise ProcessesInvalid(
                f"RANK={rank} is not allowed for WORLD_SIZE={count}: from 0 to {count - 1}.",
                hint="Start the script with torchrun, or without these variables.",
            )
        return cls(rank, count, _torch_store(rank, count)) if count > 1 else cls()

    @property
    def main(self) -> bool:
        """True in the process that evaluates, writes and speaks."""
        return self.rank == 0

    @contextmanager
    def main_first(self, what: str) -> Iterator[None]:
        """The main process runs the block alone, the others after it has done so without an error.

        Raises:
            OtherProcessFailed: it did not.
        """
        if self._store is None:
            yield
            return
        if not self.main:
            self._wait([f"{what}/main"])
        yield
        if self.main:
            self._store.set(f"{what}/main", "done")

    def gather(self, what: str, value: str = "") -> list[str]:
        """``value`` of every process, by rank; waits for all of them.

        Raises:
            OtherProcessFailed: a process failed, or did not come.
        """
        if self._store is None:
            return [value]
        self._store.set(f"{what}/{self.rank}", value)
        keys = [f"{what}/{rank}" for rank in range(self.count)]
        self._wait(keys)
        return [self._store.get(key).decode() for key in keys]

    def first_failure(self, reason: str) -> Failure:
        """Reports that this process fails for ``reason``; the failure of the one that did so first."""
        if self._store is None:
            return Failure(self.rank, reason)
        told = reason if self.main else f"Process {self.rank} of {self.count}: {reason}"
        try:
            first = self._store.compare_set(_FAILURE, "", json.dumps([self.rank, told]))
        except RuntimeError:  # the store is gone, with the process or the machine that kept it
            return Failure(self.rank, told)
        rank, told = json.loads(first)
        return Failure(rank, told)

    def leave(self) -> None:
        """Ends the exchange of gradients; from here on no process waits for another one."""
        if self._store is None:
            return
        import torch.distributed

        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()

    def _wait(self, keys: list[str]) -> None:
        assert self._store is not None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._store.check(keys):
            if self._store.check([_FAILURE]):
                raise OtherProcessFailed("Another process of the training failed.")
            if time.monotonic() > deadline:
                raise OtherProcessFailed(
                    f"Other processes of the training did not come within {PATIENCE_SECONDS:g} s.",
                    hint="Look for what they said last, in the logs of the other instances.",
                )
            time.sleep(_POLL_SECONDS)


def newest_common(lists: Sequence[str]) -> str | None:
    """The last entry of the first list that all others have too; each is text, its entries separated by blanks."""
    first, *others = ([*text.split()] for text in lists)
    return next((entry for entry in reversed(first) if all(entry in other for other in others)), None)


def _torch_store(rank: int, count: int) -> Store:
    """A corner of our own in the store through which the processes find each other."""
    import torch.distributed

    try:
        store, _, _ = next(torch.distributed.rendezvous("env://", rank, count))
    except (ValueError, RuntimeError) as e:
        raise ProcessesInvalid(
            f"The processes of the training do not find each other: {str(e).splitlines()[0]}",
            hint="Start the script with torchrun, which sets MASTER_ADDR and MASTER_PORT.",
        ) from e
    return torch.distributed.PrefixStore("classifier", store)  # type: ignore[no-any-return]


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    raw = environ.get(name) or str(default)
    if not raw.isdecimal():
        raise ProcessesInvalid(f"{name}={raw} is not a whole number.", hint="torchrun sets it; leave it to torchrun.")
    return int(raw)


def _hosts(environ: Mapping[str, str]) -> int:
    """Instances of the job; 1 outside of a training container."""
    try:
        hosts = json.loads(environ.get("SM_HOSTS") or "[]")
    except ValueError:
        return 1
    return len(hosts) if isinstance(hosts, list) else 1
