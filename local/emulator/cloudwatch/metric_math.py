"""CloudWatch's metric math, as far as the product's alarms use it. Pure functions.

A series maps the number of a period to a value. As in CloudWatch, arithmetic on two series gives a value where both
have one.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from contextlib import suppress

Series = dict[int, float]

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

    def value(node: ast.expr) -> Series:
        match node:
            case ast.Constant(value=int() | float() as number):
                return dict.fromkeys(range(periods), float(number))
            case ast.Name(id=name):
                return series[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return {number: -one for number, one in value(operand).items()}
            case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
                return _pairwise(_OPERATORS[type(op)], value(left), value(right))
            case ast.Call(func=ast.Name(id="IF"), args=[condition, then, otherwise], keywords=[]):
                holding, found, other = value(condition), value(then), value(otherwise)
                chosen = {number: found if holds else other for number, holds in holding.items()}
                return {number: one[number] for number, one in chosen.items() if number in one}
        raise ValueError(ast.dump(node))

    try:
        return value(ast.parse(expression, mode="eval").body)
    except (SyntaxError, KeyError, TypeError, ValueError, RecursionError) as error:
        message = f"Metric math expression '{expression}': the local cloud knows {_ALLOWED} only."
        raise UnsupportedExpressionError(message) from error


def _pairwise(function: Callable[[float, float], float], left: Series, right: Series) -> Series:
    found: Series = {}
    for number in left.keys() & right.keys():
        with suppress(ZeroDivisionError):  # no value in that period
            found[number] = float(function(left[number], right[number]))
    return found
