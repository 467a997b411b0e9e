"""CloudWatch's metric math, as far as the product's alarms use it. Pure functions.

A series maps the number of a period to a value. As in CloudWatch, arithmetic on two series gives a value where both
have one.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from contextlib import suppress

Series = dict[int, float]
Value = Series | float

_OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}
_ALLOWED = "numbers, ids, + - * / ( ), > >= < <= and IF"


class UnsupportedExpressionError(Exception):
    """An expression uses something that is not part of the local cloud."""


def evaluate(expression: str, series: Mapping[str, Series], *, periods: int) -> Series:
    """Return the series that an expression gives. Raises UnsupportedExpressionError.

    `series`: by the ids that the expression uses. A number becomes a series with its value in each of `periods`.
    """
    try:
        value = _value(ast.parse(expression, mode="eval").body, series)
    except (SyntaxError, KeyError, TypeError, ValueError, RecursionError) as error:
        message = f"Metric math expression '{expression}': the local cloud knows {_ALLOWED} only."
        raise UnsupportedExpressionError(message) from error
    return value if isinstance(value, dict) else dict.fromkeys(range(periods), value)


def _value(node: ast.expr, series: Mapping[str, Series]) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return series[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _pairwise(operator.sub, 0.0, _value(operand, series))
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
            return _pairwise(_OPERATORS[type(op)], _value(left, series), _value(right, series))
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, otherwise], keywords=[]):
            return _if(*(_value(argument, series) for argument in (condition, then, otherwise)))
    raise ValueError(ast.dump(node))


def _if(condition: Value, then: Value, otherwise: Value) -> Value:
    if not isinstance(condition, dict):
        return then if condition else otherwise
    found = {number: _at(then if holds else otherwise, number) for number, holds in condition.items()}
    return {number: value for number, value in found.items() if value is not None}


def _pairwise(function: Callable[[float, float], float], left: Value, right: Value) -> Value:
    if not isinstance(left, dict) and not isinstance(right, dict):
        return float(function(left, right))
    found: Series = {}
    for number in sorted({number for side in (left, right) if isinstance(side, dict) for number in side}):
        one, other = _at(left, number), _at(right, number)
        if one is not None and other is not None:
            with suppress(ZeroDivisionError):  # no value in that period
                found[number] = float(function(one, other))
    return found


def _at(value: Value, number: int) -> float | None:
    return value.get(number) if isinstance(value, dict) else value
