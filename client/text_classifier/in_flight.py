"""Runs a bounded number of calls at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

A = TypeVar("A")
R = TypeVar("R")

AHEAD = 8
"""While the oldest call runs, at most `AHEAD * limit` later ones are started; bounds the results to put in order."""


def as_they_come(arguments: Iterator[A], call: Callable[[A], R], *, limit: int) -> Iterator[R]:
    """Yield the results of `call` for all arguments, in the order in which the calls end; at most `limit` run at once.

    An argument is read only after a result was yielded, so at most `limit` calls have started without their result
    being yielded. After a call that raised, no other starts, the results of running calls are yielded, and then its
    exception is raised. A caller who stops early waits for nothing: running calls end by themselves.
    """
    pool = ThreadPoolExecutor(limit, thread_name_prefix="text-classifier")
    running: dict[Future[R], int] = {}  # in the order in which they started
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
