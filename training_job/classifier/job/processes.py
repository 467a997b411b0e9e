"""The processes of one training: usually one, several in step under torchrun.

torchrun gives each process its number and a meeting point (`RANK`, `WORLD_SIZE`, `MASTER_ADDR`, …). The Trainer shares
the gradients. This module does the rest: one process decides and reports, and when one fails, all fail with the reason
of the one that failed first.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from classifier.errors import JobError

if TYPE_CHECKING:
    from torch.distributed import Store  # type: ignore[attr-defined]

TORCHRUN_HYPERPARAMETER = "sagemaker_torch_distributed_enabled"
"""Set to `true`, it makes the container's toolkit start the script with torchrun on all instances of the job."""

PATIENCE_SECONDS = 1800.0
"""Longest wait for other processes: the same as torch's for a collective operation."""

_POLL_SECONDS = 0.1
_FAILURE = "failure"


@dataclass(frozen=True)
class Failure:
    """Why a training failed, and in which process first."""

    rank: int
    reason: str


class Processes:
    """This process and its place in the training. `rank` counts from 0, the main process."""

    def __init__(self, rank: int = 0, count: int = 1, store: Store | None = None) -> None:
        """Describe a process. Several share torch's key-value `store`; a single one needs none."""
        self.rank = rank
        self.count = count
        self._store = store

    @classmethod
    def join(cls, environ: Mapping[str, str]) -> Processes:
        """Join the processes that torchrun started, or return a single process without torchrun.

        Raises JobError: torchrun's variables contradict each other, or a job with several instances runs without it.
        """
        rank, count = _number(environ, "RANK", 0), _number(environ, "WORLD_SIZE", 1)
        hosts = _hosts(environ)
        if count == 1 and hosts > 1:
            raise JobError(
                f"The job has {hosts} instances, and each of them runs the script for itself.",
                hint=f"Set the hyperparameter {TORCHRUN_HYPERPARAMETER}=true, or use one instance.",
            )
        if not 0 <= rank < count:
            raise JobError(
                f"RANK={rank} is not allowed for WORLD_SIZE={count}: from 0 to {count - 1}.",
                hint="Start the script with torchrun, or without these variables.",
            )
        return cls(rank, count, _torch_store(rank, count)) if count > 1 else cls()

    @property
    def main(self) -> bool:
        """True in the process that evaluates, writes and logs."""
        return self.rank == 0

    @contextmanager
    def main_first(self, what: str) -> Iterator[None]:
        """Run the block in the main process alone, then, if it succeeded, in the others; else raise JobError."""
        if self._store is None:
            yield
            return
        if not self.main:
            self._wait([f"{what}/main"])
        yield
        if self.main:
            self._store.set(f"{what}/main", "done")

    def gather(self, what: str, value: str = "") -> list[str]:
        """Wait for the `value` of every process and return them by rank; raise JobError if one failed or is late."""
        if self._store is None:
            return [value]
        self._store.set(f"{what}/{self.rank}", value)
        keys = [f"{what}/{rank}" for rank in range(self.count)]
        self._wait(keys)
        return [self._store.get(key).decode() for key in keys]

    def first_failure(self, reason: str) -> Failure:
        """Report that this process fails for `reason`; return the failure of the process that failed first."""
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
        """End the exchange of gradients; no process waits for another one after this."""
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
                raise JobError("Another process of the training failed.")
            if time.monotonic() > deadline:
                raise JobError(
                    f"Other processes of the training did not arrive within {PATIENCE_SECONDS:g} s.",
                    hint="Look at the last lines in the logs of the other instances.",
                )
            time.sleep(_POLL_SECONDS)


def newest_common(lists: Sequence[str]) -> str | None:
    """Return the last entry of the first list that is in all others too; a list is text, separated by spaces."""
    first, *others = (text.split() for text in lists)
    return next((entry for entry in reversed(first) if all(entry in other for other in others)), None)


def _torch_store(rank: int, count: int) -> Store:
    """Return a namespace of our own in the store through which the processes find each other."""
    import torch.distributed

    try:
        store, _, _ = next(torch.distributed.rendezvous("env://", rank, count))  # type: ignore[attr-defined]
    except (ValueError, RuntimeError) as e:
        raise JobError(
            f"The processes of the training do not find each other: {str(e).splitlines()[0]}",
            hint="Start the script with torchrun, which sets MASTER_ADDR and MASTER_PORT.",
        ) from e
    return torch.distributed.PrefixStore("classifier", store)  # type: ignore[attr-defined]


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    raw = environ.get(name) or str(default)
    if not raw.isdecimal():
        raise JobError(f"{name}={raw} is not a whole number.", hint="Leave this variable to torchrun.")
    return int(raw)


def _hosts(environ: Mapping[str, str]) -> int:
    """Return the number of instances of the job; 1 outside of a training container."""
    try:
        hosts = json.loads(environ.get("SM_HOSTS") or "[]")
    except ValueError:
        return 1
    return len(hosts) if isinstance(hosts, list) else 1
