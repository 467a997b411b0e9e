"""How numbers are written: shares as percentages, differences in points, always with the same number of decimals."""

from classifier.evaluation.figures import Interval

UNKNOWN = "–"
_MINUS = "\N{MINUS SIGN}"
_SPACE = "\N{NO-BREAK SPACE}"


def percent(share: float | None, decimals: int = 1) -> str:
    """Write `0.8689` as `86.9 %`."""
    return UNKNOWN if share is None else f"{number(share * 100, decimals)}{_SPACE}%"


def points(difference: float, decimals: int = 1) -> str:
    """Write a difference of shares, `-0.021`, as `−2.1`."""
    return number(difference * 100, decimals, signed=True)


def number(value: float, decimals: int, *, signed: bool = False) -> str:
    """Write a number with a thousands separator and a true minus; never `-0.0`."""
    rounded = round(value, decimals) + 0.0
    sign = "+" if signed and rounded > 0 else ""
    return f"{sign}{rounded:,.{decimals}f}".replace("-", _MINUS)


def count(value: int, singular: str, plural: str | None = None) -> str:
    """Write `1 sentence` or `2,000 sentences`."""
    return f"{value:,}{_SPACE}{singular if value == 1 else plural or singular + 's'}"


def interval(figure: Interval) -> str:
    """Write a share as `86.9 % (85.1 to 88.4 %)`."""
    return f"{percent(figure.value)} ({number(figure.low * 100, 1)} to {percent(figure.high)})"


def points_interval(difference: Interval) -> str:
    """Write a difference of shares as `+1.9 points (−0.2 to +4.0)`."""
    return f"{points(difference.value)} points ({points(difference.low)} to {points(difference.high)})"
