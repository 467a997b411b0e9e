"""Time for tests that wait."""

from __future__ import annotations

import pytest

from fake_time import FakeTime


@pytest.fixture
def fake_time() -> FakeTime:
    """A clock and a sleep that take no time."""
    return FakeTime(1000.0)
