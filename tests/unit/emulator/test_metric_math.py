"""local.emulator.cloudwatch.metric_math: what expressions give."""

from __future__ import annotations

import pytest

from local.emulator.cloudwatch.metric_math import UnsupportedExpressionError, evaluate

SERIES = {"errors": {0: 1.0, 2: 5.0}, "requests": {0: 4.0, 1: 10.0, 2: 50.0}, "none": {}}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("errors / requests", {0: 0.25, 2: 0.1}),
        ("100 * errors / requests - 1", {0: 24.0, 2: 9.0}),
        ("-errors", {0: -1.0, 2: -5.0}),
        ("errors / (requests - 4)", {2: 5 / 46}),  # a division by zero is no value
        ("requests > 9", {0: 0.0, 1: 1.0, 2: 1.0}),
        ("IF(requests > 9, 100 * errors / requests, 0)", {0: 0.0, 2: 10.0}),
        ("none + errors", {}),
        ("3", {0: 3.0, 1: 3.0, 2: 3.0}),
    ],
)
def test_expressions(expression: str, expected: dict[int, float]) -> None:
    """Series are combined period by period, where both have a value."""
    assert evaluate(expression, SERIES, periods=3) == expected


@pytest.mark.parametrize(
    "expression",
    ["SEARCH('x', 'Sum')", "IF(errors)", "errors ** 2", "missing", "__import__('os')", "errors.real", "errors +", ""],
)
def test_anything_else_is_refused_by_name(expression: str) -> None:
    """The message repeats the expression and says what is supported."""
    with pytest.raises(UnsupportedExpressionError, match="the local cloud knows numbers, ids") as caught:
        evaluate(expression, SERIES, periods=3)
    assert f"'{expression}'" in str(caught.value)
