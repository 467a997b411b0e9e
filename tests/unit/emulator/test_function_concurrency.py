"""Reserved concurrency: when AWS refuses it, and what is left for the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import lambda_svc

from local.emulator.functions import concurrency

ACCOUNT, REGION = "000000000000", "us-east-1"


def config(name: str) -> dict[str, Any]:
    return {"FunctionName": name, "FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Set the account's limit and its functions with what they have reserved."""

    def arrange(limit: int, **reserved: int | None) -> None:
        monkeypatch.setattr(lambda_svc, "_ACCOUNT_CONCURRENCY_CAP", limit)
        for name, value in reserved.items():
            lambda_svc._functions[name] = {"config": config(name), "concurrency": value}

    with request_scope(ACCOUNT, REGION):
        yield arrange
    lambda_svc._functions._data.clear()
    lambda_svc._inflight.clear()
    monkeypatch.setattr(lambda_svc, "_inflight_total", 0)


def put(name: str, value: int) -> tuple[int, dict[str, Any]]:
    status, _, body = concurrency.put_function_concurrency(
        lambda_svc._put_function_concurrency, name, {"ReservedConcurrentExecutions": value}
    )
    return status, json.loads(body)


@pytest.mark.parametrize(
    ("limit", "others", "wanted", "least"),
    [(1000, 0, 900, 0), (1000, 0, 901, 100), (1000, 880, 21, 100), (1000, 880, 20, 0), (10, 0, 1, 10), (10, 0, 0, 0)],
)
def test_what_is_left_for_the_others_has_a_minimum(
    account: Callable[..., None], limit: int, others: int, wanted: int, least: int
) -> None:
    """100 executions stay unreserved, all of them in a new account with 10; the refusal has AWS's code and words."""
    account(limit, f=None, other=others)
    status, body = put("f", wanted)
    if not least:
        assert (status, body) == (200, {"ReservedConcurrentExecutions": wanted})
        return
    assert (status, body["__type"]) == (400, "InvalidParameterValueException")
    assert body["message"] == (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
        f"its minimum value of [{least}]."
    )
    assert lambda_svc._functions["f"]["concurrency"] is None


def test_a_function_may_give_back_what_it_has(account: Callable[..., None]) -> None:
    """A smaller reservation is accepted even where the account has shrunk meanwhile."""
    account(10, f=50)
    assert put("f", 20)[0] == 200


def acquire(name: str) -> Any:
    func = lambda_svc._functions[name]
    return concurrency.acquire_execution_slot(lambda_svc._acquire_execution_slot, func, func["config"])


def test_what_is_reserved_is_kept_free_for_its_function(account: Callable[..., None]) -> None:
    """Busy functions use up the rest only, and the one with a reservation no more than it."""
    account(110, busy=None, smoke=10)
    taken = [acquire("busy") for _ in range(101)]
    assert [limit for _, limit in taken] == [None] * 100 + ["account"]
    assert [acquire("smoke")[1] for _ in range(11)] == [None] * 10 + ["function"]
