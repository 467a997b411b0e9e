"""Running a bounded number of calls at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

A = TypeVar("A")
R = TypeVar("R")

AHEAD = 8
"""How many times `limit` calls may be done while the oldest one still runs; bounds what has to be put in order."""


def as_they_come(arguments: Iterator[A], call: Callable[[A], R], *, limit: int) -> Iterator[R]:
    """The results of `call` for all arguments, in the order in which the calls end; at most `limit` run at once.

    The next argument is taken only when a result was taken, so at no time are more than `limit` calls begun and their
    results not yet given away. After a call that raised, no other is begun, the results of those under way are still
    given, and then its exception is raised. Left early, it waits for nothing; calls under way end by themselves.
    """
    pool = ThreadPoolExecutor(limit, thread_name_prefix="text-classifier")
    running: dict[Future[R], int] = {}  # in the order of their beginning
    begun, failure = 0, None
    try:
        while True:
            while failure is None and len(running) < limit:
                oldest = next(iter(running.values()), begun)
                if begun - oldest >= AHEAD * limit:
                    break
                try:
                    argument = next(arguments)
                except StopIteration:
                    break
                running[pool.submit(call, argument)] = begun
                begun += 1
            if not running:
                break
            done = next(iter(wait(running, return_when=FIRST_COMPLETED).done))
            del running[done]
            if error := done.exception():
                failure = failure or error
            else:
                yield done.result()
        if failure is not None:
            raise failure
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
