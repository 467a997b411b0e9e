"""Clients that wait without taking time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from text_classifier import Client


@pytest.fixture
def slept() -> list[float]:
    """The seconds that clients of this test waited."""
    return []


@pytest.fixture
def new_client(slept: list[float]) -> Iterator[Callable[..., Client]]:
    """Makes clients of a server; they note their waits in `slept` instead of waiting."""
    made: list[Client] = []

    def make(api: Any, **options: Any) -> Client:
        made.append(Client(api if isinstance(api, str) else api.url, sleep=slept.append, **options))
        return made[-1]

    yield make
    for client in made:
        client.close()
