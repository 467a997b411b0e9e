"""Time for the smoke test's tests."""

from __future__ import annotations

import pytest

from fake_time import FakeTime


@pytest.fixture
def time() -> FakeTime:
    """A clock of the test's own."""
    return FakeTime()
