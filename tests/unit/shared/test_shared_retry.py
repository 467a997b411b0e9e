"""shared.retry: trying again, within a fixed time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predict.errors import InvalidRequestError, ModelWarmingUpError, PredictError, ThrottledError
from shared.retry import Retry


def attempts_of(*results: PredictError | str, clock: Any = None, takes: float = 0) -> Callable[[float], str]:
    """An attempt that gives these results in turn, the last one for ever, each after `takes` seconds."""
    left = list(results)

    def attempt(seconds: float) -> str:
        if clock is not None:
            clock.now += min(takes, seconds)
        result = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(result, PredictError):
            raise result
        return result

    return attempt


def test_a_passing_error_is_tried_again(fake_time: Any) -> None:
    """Two failures and a success are a success with three attempts."""
    retry = Retry(clock=fake_time.clock, sleep=fake_time.sleep)
    answered = retry.call(attempts_of(ModelWarmingUpError(), ThrottledError(), "answer"), budget=25)
    assert answered == ("answer", 3)


def test_a_lasting_error_is_not_tried_again(fake_time: Any) -> None:
    """A bad request stays one, however often it is sent."""
    retry = Retry(clock=fake_time.clock, sleep=fake_time.sleep)
    with pytest.raises(InvalidRequestError):
        retry.call(attempts_of(InvalidRequestError(), "answer"), budget=25)
    assert fake_time.slept == []


def test_the_last_error_is_the_one_reported(fake_time: Any) -> None:
    """When time is up, the caller learns why the last attempt failed."""
    retry = Retry(clock=fake_time.clock, sleep=fake_time.sleep)
    with pytest.raises(ThrottledError):
        retry.call(attempts_of(ModelWarmingUpError(), ThrottledError()), budget=25)


@given(budget=st.floats(0, 60), takes=st.floats(0, 10), share=st.floats(0, 1))
def test_no_attempt_begins_without_time_for_it(budget: float, takes: float, share: float) -> None:
    """Whatever attempts and waits take, every repeated attempt has at least three seconds of the budget left."""
    now = [0.0]
    begun: list[float] = []

    def attempt(seconds: float) -> str:
        begun.append(seconds)
        now[0] += takes
        raise ModelWarmingUpError()

    retry = Retry(
        clock=lambda: now[0],
        sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
        jitter=lambda low, high: low + share * (high - low),
    )
    with pytest.raises(ModelWarmingUpError):
        retry.call(attempt, budget=budget)
    assert all(seconds >= 3 - 1e-6 for seconds in begun[1:])
    assert len(begun) <= 12


def test_attempts_are_told_the_time_that_is_left(fake_time: Any) -> None:
    """The second attempt gets what the first and the wait have not used."""
    seen: list[float] = []

    def attempt(seconds: float) -> str:
        seen.append(seconds)
        fake_time.now += 5
        if len(seen) == 1:
            raise ModelWarmingUpError()
        return "answer"

    Retry(clock=fake_time.clock, sleep=fake_time.sleep, jitter=lambda low, high: high).call(attempt, budget=25)
    assert seen == pytest.approx([25, 25 - 5 - 0.3])


def test_waits_grow_to_a_limit(fake_time: Any) -> None:
    """Each wait doubles until four seconds."""
    retry = Retry(clock=fake_time.clock, sleep=fake_time.sleep, jitter=lambda low, high: high)
    with pytest.raises(ModelWarmingUpError):
        retry.call(attempts_of(ModelWarmingUpError()), budget=25)
    assert fake_time.slept == pytest.approx([0.3, 0.6, 1.2, 2.4, 4, 4, 4, 4])


def test_waits_are_spread(fake_time: Any) -> None:
    """Jitter chooses between half of the wait and all of it."""
    asked: list[tuple[float, float]] = []

    def jitter(low: float, high: float) -> float:
        asked.append((low, high))
        return low

    retry = Retry(clock=fake_time.clock, sleep=fake_time.sleep, jitter=jitter)
    retry.call(attempts_of(ModelWarmingUpError(), "answer"), budget=25)
    assert (asked, fake_time.slept) == ([(0.15, 0.3)], [0.15])
