"""serving.server.batcher: which texts share a forward pass, and that all callers get their own answers."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from serving.predictor import Prediction
from serving.request import Inputs, Parameters
from serving.server.batcher import INLINE_CHARACTERS, WINDOW, Batcher, predicted


class Echo:
    """Answers each text with itself as the label, and remembers its passes."""

    def __init__(self) -> None:
        self.passes: list[list[str]] = []
        self.threads: list[threading.Thread] = []

    def predict(self, texts: Sequence[str], top_k: Sequence[int | None]) -> list[Prediction]:
        self.passes.append(list(texts))
        self.threads.append(threading.current_thread())
        if "poison" in texts:
            raise RuntimeError("no answer to this")
        return [Prediction(f"{text}{top or ''}", 1.0, None, False) for text, top in zip(texts, top_k, strict=True)]


def inputs(texts: Sequence[str], top_k: int = 0) -> Inputs:
    """The texts of a request whose parameters are the same for each."""
    return Inputs(list(texts), [Parameters(top_k=top_k)] * len(texts), "inputs[{0}]")


@pytest.fixture
def echo() -> Echo:
    """Stand in for a model."""
    return Echo()


@pytest.fixture
def answers(echo: Echo) -> Callable[..., list[Any]]:
    """Submit the texts of several callers at once; return each one's labels, or None."""

    def submit(*callers: list[str], workers: int = 1, top_k: int = 0) -> list[Any]:
        async def all_at_once() -> list[list[Prediction] | None]:
            with ThreadPoolExecutor(workers) as executor:
                batcher = Batcher(echo, executor, workers)  # type: ignore[arg-type]
                return await asyncio.gather(
                    *(predicted(batcher, inputs(texts, number * top_k)) for number, texts in enumerate(callers))
                )

        return [each and [prediction.label for prediction in each] for each in asyncio.run(all_at_once())]

    return submit


def test_callers_who_wait_together_share_a_pass(echo: Echo, answers: Callable[..., list[Any]]) -> None:
    """Three callers share one pass, and each gets the right answers."""
    assert answers(["a"], ["b", "c"], ["d"]) == [["a"], ["b", "c"], ["d"]]
    assert echo.passes == [["a", "b", "c", "d"]]


def test_callers_with_different_parameters_share_a_pass(echo: Echo, answers: Callable[..., list[Any]]) -> None:
    """Each text is answered with the parameters of its own caller."""
    assert answers(["a"], ["b", "c"], ["d"], top_k=5) == [["a"], ["b5", "c5"], ["d10"]]
    assert echo.passes == [["a", "b", "c", "d"]]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_lists_of_any_length_come_back_in_order(echo: Echo, answers: Callable[..., list[Any]], workers: int) -> None:
    """No text is lost or misplaced at the ends of windows, and no window is too large."""
    callers = [[f"{caller}-{number}" for number in range(size)] for caller, size in enumerate([1, 300, 128, 7, 1_000])]
    assert answers(*callers, workers=workers) == callers
    assert max(map(len, echo.passes)) <= WINDOW
    assert sorted(text for each in echo.passes for text in each) == sorted(text for each in callers for text in each)


def test_a_long_list_lets_others_have_their_turn(echo: Echo, answers: Callable[..., list[Any]]) -> None:
    """A caller behind 1,000 texts waits for one window of them."""
    answers([f"{number}" for number in range(1_000)], ["late"])
    assert "late" in echo.passes[1]


def test_a_text_that_the_model_fails_on_hurts_its_own_caller_only(
    answers: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are predicted again without it, and the failure is logged once."""
    records: list[logging.LogRecord] = []
    monkeypatch.setattr(logging.getLogger("serving"), "handle", records.append)
    assert answers(["a"], ["b", "poison"], ["c"]) == [["a"], None, ["c"]]
    assert [record.exc_info is not None for record in records] == [True]


def test_one_list_is_divided_among_idle_workers(echo: Echo, answers: Callable[..., list[Any]]) -> None:
    """Two workers take eight of sixteen texts each."""
    assert answers([str(number) for number in range(16)], workers=2) == [[str(number) for number in range(16)]]
    assert sorted(map(len, echo.passes)) == [8, 8]


def test_the_loop_predicts_only_little_and_only_where_there_is_one_worker(
    echo: Echo, answers: Callable[..., list[Any]]
) -> None:
    """Long texts would block connections, and with several workers other cores can predict."""
    answers(["x" * INLINE_CHARACTERS])
    answers(["x" * (INLINE_CHARACTERS + 1)])
    answers(["x"], workers=2)
    assert [thread is threading.main_thread() for thread in echo.threads] == [True, False, False]
