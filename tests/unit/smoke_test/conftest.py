"""Time for the smoke test's tests."""

from __future__ import annotations

import pytest

from smoke_test_fakes import FakeTime


@pytest.fixture
def time() -> FakeTime:
    """A clock of the test's own."""
    return FakeTime()
