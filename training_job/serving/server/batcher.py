"""Run forward passes; the texts of callers that wait at the same time share them, whatever their parameters are.

This is possible because an answer does not depend on the other texts in its batch (docs/decisions/0007), and useful
because a pass over sixteen texts takes half the time of sixteen passes (docs/decisions/0006).
"""

import asyncio
import functools
import math
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from serving.answer import MODEL_FAILED, logger
from serving.predictor import Prediction, Predictor
from serving.request import Inputs

WINDOW = 128
"""Most texts that a worker takes at once. Longer requests take turns, so that others need not wait for all of one."""
INLINE_CHARACTERS = 4_096
"""With a single worker, windows up to this size are predicted in the event loop: a thread would only take turns with
the loop on the same core. 4,096 characters take about 40 ms, for which connections and /ping wait."""

Done = Callable[[list[Prediction] | None], None]
"""Receives the predictions, one a text, or None if the model failed."""


class _Job:
    """The texts of one request."""

    __slots__ = ("done", "failed", "given", "missing", "predictions", "texts", "top_k")

    def __init__(self, inputs: Inputs, done: Done) -> None:
        texts = inputs.texts
        self.texts = texts
        self.top_k = [each.top_k for each in inputs.parameters]
        self.done = done
        self.given = 0  # texts that a worker has taken
        self.missing = len(texts)  # texts without a prediction
        self.failed = False
        self.predictions: list[Any] = [None] * len(texts)


class _Part:
    """Texts of one job within a window."""

    __slots__ = ("job", "start", "texts", "top_k")

    def __init__(self, job: _Job, size: int) -> None:
        self.job = job
        self.start = job.given
        self.texts = job.texts[self.start : self.start + size]
        self.top_k = job.top_k[self.start : self.start + size]
        job.given += len(self.texts)


Outcomes = list[list[Prediction] | None]
"""For each part of a window its predictions, or None if the model failed."""


class Batcher:
    """Distributes the waiting texts to the workers. Everything but `_predict` runs in the event loop."""

    def __init__(self, predictor: Predictor, executor: ThreadPoolExecutor, workers: int) -> None:
        self._predictor = predictor
        self._executor = executor
        self._workers = workers
        self._free = workers
        self._jobs: deque[_Job] = deque()
        self._waiting = 0  # texts that no worker has taken
        self._due = False  # whether `_take` is scheduled

    def submit(self, inputs: Inputs, done: Done) -> None:
        """Predict for the texts of a request, at least one, and call `done` in the event loop."""
        self._jobs.append(_Job(inputs, done))
        self._waiting += len(inputs.texts)
        self._take_soon()

    def _take_soon(self) -> None:
        if self._jobs and self._free and not self._due:
            self._due = True
            # After everything else that is ready now, so that simultaneous requests share the window.
            asyncio.get_running_loop().call_soon(self._take)

    def _take(self) -> None:
        self._due = False
        window = self._window(min(WINDOW, math.ceil(self._waiting / self._free)))
        self._free -= 1
        characters = sum(len(text) for part in window for text in part.texts)
        if self._workers == 1 and characters <= INLINE_CHARACTERS:
            self._deliver(window, self._predict(window))
        else:
            loop = asyncio.get_running_loop()
            running = loop.run_in_executor(self._executor, self._predict, window)
            running.add_done_callback(lambda finished: self._deliver(window, finished.result()))
        self._take_soon()

    def _window(self, size: int) -> list[_Part]:
        """Take parts with `size` texts in total; a job with texts left goes to the end of the queue."""
        window: list[_Part] = []
        while size and self._jobs:
            job = self._jobs.popleft()
            part = _Part(job, size)
            window.append(part)
            size -= len(part.texts)
            self._waiting -= len(part.texts)
            if job.given < len(job.texts):
                self._jobs.append(job)
        return window

    def _predict(self, window: list[_Part]) -> Outcomes:
        """Run the model, in a worker or in the event loop."""
        predictions: list[Prediction] = []
        try:
            predictions = self._predictor.predict(
                [text for part in window for text in part.texts], [top_k for part in window for top_k in part.top_k]
            )
        except Exception:  # libraries raise many kinds
            if len(window) == 1:
                logger.exception(MODEL_FAILED)
                return [None]
        if not predictions:  # one caller's text may be the cause; the other callers still get answers
            return [outcome for part in window for outcome in self._predict([part])]
        outcomes: Outcomes = []
        start = 0
        for part in window:
            outcomes.append(predictions[start : start + len(part.texts)])
            start += len(part.texts)
        return outcomes

    def _deliver(self, window: list[_Part], outcomes: Outcomes) -> None:
        self._free += 1
        for part, outcome in zip(window, outcomes, strict=True):
            job = part.job
            job.missing -= len(part.texts)
            if outcome is None:
                job.failed = True
            else:
                job.predictions[part.start : part.start + len(part.texts)] = outcome
            if not job.missing:
                job.done(None if job.failed else job.predictions)
        self._take_soon()


async def predicted(batcher: Batcher, inputs: Inputs) -> list[Prediction] | None:
    """Call `Batcher.submit` from a coroutine."""
    answered: asyncio.Future[list[Prediction] | None] = asyncio.get_running_loop().create_future()
    batcher.submit(inputs, functools.partial(_resolve, answered))
    return await answered


def _resolve(answered: asyncio.Future[Any], predictions: list[Prediction] | None) -> None:
    if not answered.done():
        answered.set_result(predictions)
