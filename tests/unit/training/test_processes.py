"""Several processes of one training: they wait for each other, and fail together for one reason."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from classifier.errors import JobError
from classifier.job.processes import Processes, newest_common


class DictStore:
    """torch's store as a dictionary, for processes that are threads."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self._lock = threading.Lock()

    def set(self, key: str, value: str) -> None:
        """As the real one."""
        self.values[key] = value

    def get(self, key: str) -> bytes:
        """As the real one."""
        return self.values[key].encode()

    def check(self, keys: list[str]) -> bool:
        """As the real one."""
        return all(key in self.values for key in keys)

    def compare_set(self, key: str, expected: str, desired: str) -> bytes:
        """As the real one."""
        with self._lock:
            if self.values.get(key, "") == expected:
                self.values[key] = desired
            return self.values[key].encode()


class LostStore(DictStore):
    """A store whose machine has gone away."""

    def compare_set(self, key: str, expected: str, desired: str) -> bytes:
        """Fails as the real one does."""
        raise RuntimeError("Connection reset by peer")


def together(act: Callable[[Processes], Any], count: int = 2) -> list[Any]:
    """Run `act` in each of `count` processes and return the results; an error is returned as the exception."""
    store = DictStore()

    def one(rank: int) -> Any:
        try:
            return act(Processes(rank, count, store))
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def test_started_by_itself_a_process_is_alone_and_waits_for_nobody() -> None:
    """Without torchrun's variables there is one process, the main one."""
    alone = Processes.join({"SM_HOSTS": '["algo-1"]'})
    with alone.main_first("data"):
        assert alone.gather("x", "mine") == ["mine"]
    assert alone.main and alone.count == 1
    assert alone.first_failure("why").reason == "why"
    alone.leave()


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"SM_HOSTS": '["algo-1", "algo-2"]'}, "sagemaker_torch_distributed_enabled=true"),
        ({"RANK": "2", "WORLD_SIZE": "2"}, "from 0 to 1"),
        ({"RANK": "first", "WORLD_SIZE": "2"}, "RANK=first"),
    ],
)
def test_processes_that_cannot_work_together_are_refused(environ: dict[str, str], said: str) -> None:
    """Instances that each run alone, or contradictory variables, end the job at once."""
    with pytest.raises(JobError, match=said):
        Processes.join(environ)


def test_everyone_learns_what_everyone_said() -> None:
    """`gather` returns all values by rank in every process."""
    said = together(lambda processes: processes.gather("x", f"by {processes.rank}"), 3)
    assert said == [["by 0", "by 1", "by 2"]] * 3


def test_the_main_process_goes_first() -> None:
    """The others enter the block only after the main process has left it."""
    order: list[int] = []

    def act(processes: Processes) -> None:
        with processes.main_first("data"):
            order.append(processes.rank)

    assert together(act, 3) == [None, None, None]
    assert order[0] == 0 and sorted(order) == [0, 1, 2]


def test_a_failure_of_the_main_process_ends_the_others_with_its_reason() -> None:
    """A process that waits for a failed one ends, with the failed one's reason."""

    def act(processes: Processes) -> Any:
        try:
            with processes.main_first("data"):
                if processes.main:
                    raise ValueError("no such column")
        except Exception as error:
            return processes.first_failure(str(error))
        return None

    main, other = together(act)
    assert main == other
    assert (main.rank, main.reason) == (0, "no such column")


def test_a_failure_of_another_process_reaches_the_main_one_with_its_number() -> None:
    """The main process, which waits for all, learns which process failed."""

    def act(processes: Processes) -> Any:
        if not processes.main:
            return processes.first_failure("disk full")
        with pytest.raises(JobError, match="Another process"):
            processes.gather("ready")
        return processes.first_failure("another one failed")

    main, other = together(act)
    assert main == other
    assert (main.rank, main.reason) == (1, "Process 1 of 2: disk full")


def test_without_its_store_a_process_tells_its_own_reason() -> None:
    """If the main process's machine has gone, a process still reports its own reason."""
    failure = Processes(1, 2, LostStore()).first_failure("Connection closed by peer")
    assert failure.reason == "Process 1 of 2: Connection closed by peer"


@pytest.mark.parametrize(
    ("lists", "newest"),
    [(["a b c"], "c"), (["a b c", "a b"], "b"), (["a", "b"], None), (["a", ""], None), ([""], None)],
)
def test_the_newest_that_all_have(lists: list[str], newest: str | None) -> None:
    """No process resumes from a checkpoint that another one lacks."""
    assert newest_common(lists) == newest
