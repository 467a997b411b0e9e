"""Runs a bounded number of calls at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

A = TypeVar("A")
R = TypeVar("R")

AHEAD = 8
"""While the oldest call runs, at most `AHEAD * limit` later ones are started; bounds the results to put in order."""
GLANCE_SECONDS = 0.5
"""Most seconds until Ctrl-C is seen: Python overlooks a signal that comes just before a wait, until the wait ends."""


def as_they_come(arguments: Iterator[A], call: Callable[[A], R], *, limit: int) -> Iterator[R]:
    """Yield the results of `call` for all arguments, in the order in which the calls end; at most `limit` run at once.

    An argument is read only after a result was yielded, so at most `limit` calls have started without their result
    being yielded. After a call that raised, no other starts, the results of running calls are yielded, and then its
    exception is raised. A caller who stops early waits for nothing: running calls end by themselves.
    """
    pool = ThreadPoolExecutor(limit, thread_name_prefix="text-classifier")
    running: dict[Future[R], int] = {}  # in the order in which they started
    ended: SimpleQueue[Future[R]] = SimpleQueue()
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
                future = pool.submit(call, argument)
                running[future] = begun
                future.add_done_callback(ended.put)
                begun += 1
            if not running:
                break
            try:
                # Not `concurrent.futures.wait`: Ctrl-C within its Condition can become a RuntimeError.
                done = ended.get(timeout=GLANCE_SECONDS)
            except Empty:
                continue
            del running[done]
            if error := done.exception():
                failure = failure or error
            else:
                yield done.result()
        if failure is not None:
            raise failure
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
