"""The parts of the report: selected rows, numbers, axes, markup, and the check of the loss curve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from classifier.evaluation.figures import Interval
from classifier.report.loss_curve import loss_curve
from gate.evidence.evidence import AnsweredRow
from gate.report.markup import Markup, join, tag
from gate.report.numbers import count, interval, number, percent, points_interval
from gate.report.plot import Plot, round_values
from gate.report.scores import loss_picture
from gate.report.tables import SHOWN, by_confidence, disagreement
from shared.words import shorten

Rows = Callable[..., tuple[AnsweredRow, ...]]


def answered(one: AnsweredRow, label: int, champion: int | None) -> AnsweredRow:
    """The row with other answers."""
    before = None if champion is None else replace(one.answer, label=champion)
    return one._replace(answer=replace(one.answer, label=label), champion=before)


def test_the_most_confident_answers_come_first(rows: Rows) -> None:
    """Confidence is that of the answered label, whichever it is."""
    drawn = by_confidence(rows(1_000))
    assert len(drawn) == 1_000
    sure = [one.answer.confidence for one in drawn]
    assert sure == sorted(sure, reverse=True)


def test_both_sides_of_a_disagreement_are_shown(rows: Rows) -> None:
    """All rows are counted; of the twenty shown, the champion is right on ten."""
    parted = disagreement(rows(1_000))
    assert parted is not None
    assert len(parted.shown) == SHOWN
    assert sum(row.right for row in parted.shown) == SHOWN // 2
    assert parted.challenger_right + parted.champion_right == sum(
        row.champion is None or row.answer.label != row.champion.label for row in rows(1_000)
    )


def test_free_places_go_to_the_other_side(rows: Rows) -> None:
    """If the challenger is never right where they differ, all twenty rows show that."""
    parted = disagreement([answered(one, 1 - one.row.label, one.row.label) for one in rows(50)])
    assert parted is not None
    assert (parted.challenger_right, parted.champion_right, len(parted.shown)) == (0, 50, SHOWN)


def test_no_champion_is_no_disagreement(rows: Rows) -> None:
    """The result is None and not zero, because nobody was asked."""
    assert disagreement([answered(one, 1, None) for one in rows(5)]) is None


def test_numbers_are_written_one_way() -> None:
    """Percent with one decimal, a true minus, never a minus zero, thousands separated."""
    assert percent(0.8689) == "86.9\u00a0%"
    assert percent(None) == "–"
    assert number(-0.001, 1) == "0.0"
    assert number(-1234.5, 1) == "−1,234.5"
    assert count(1, "slice") == "1\u00a0slice"
    assert count(2000, "slice") == "2,000\u00a0slices"
    assert interval(Interval(0.5, 0.25, 0.75)) == "50.0\u00a0% (25.0 to 75.0\u00a0%)"
    assert points_interval(Interval(0.01, -0.02, 0.04)) == "+1.0 points (−2.0 to +4.0)"


@pytest.mark.parametrize(
    ("low", "high"), [(0, 2), (0.78, 0.92), (-0.02, 0.04), (1, 1), (-3e5, 8e9), (0, 1e-12), (5e-324, 1e300)]
)
def test_round_values_enclose_their_range(low: float, high: float) -> None:
    """From two to eight distinct, rising values; the range lies between the first and the last."""
    at = round_values(low, high)
    assert at == sorted(set(at))
    assert 2 <= len(at) <= 9
    assert at[0] <= low and high <= at[-1]


def test_round_values_of_an_endless_range_are_those_of_the_unit() -> None:
    """Infinite values and values that are no number do not break the report."""
    assert round_values(float("-inf"), float("nan"))[0] == 0


def test_a_value_outside_of_the_axes_stays_in_the_frame() -> None:
    """The plot clips values, so that no mark lies outside."""
    plot = Plot(x_range=(0, 1), y_range=(0, 1))
    assert plot.x(7) == plot.x(1)
    assert plot.y(-7) == plot.y(0)


def test_a_straight_run_of_a_curve_is_one_line() -> None:
    """Points on a straight run are left out; the corners stay."""
    plot = Plot(x_range=(0, 1), y_range=(0, 1))
    drawn = plot.curve([(0, 0), (0.1, 0), (0.5, 0), (1, 0), (1, 0.5), (1, 1)], "curve")
    assert drawn.count(",") == 3


def test_only_markup_is_not_escaped() -> None:
    """Texts and attributes are escaped, markup is not, and None is left out."""
    inner = tag("b", "<&>")
    assert inner == "<b>&lt;&amp;&gt;</b>"
    assert tag("p", inner, "<", None, class_='"x"', title=None) == f'<p class="&quot;x&quot;">{inner}&lt;</p>'
    assert join("<", Markup("<br>"), between=" ") == "&lt; <br>"


def test_shortening_says_that_something_is_missing() -> None:
    """The limit counts the ellipsis; a text that fits stays as it is."""
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcde…"
    assert shorten(" a \n\t b ", 6) == "a b"
    assert shorten(" " * 100_000, 6) == "…"


def test_the_training_jobs_own_curve_is_accepted() -> None:
    """What loss_curve draws passes the check and becomes an image."""
    history = [{"step": 1, "loss": 0.4}, {"step": 2, "loss": 0.2}, {"step": 2, "eval_loss": 0.3}]
    picture = loss_picture(loss_curve([history]))
    assert picture is not None
    assert picture.startswith('<img src="data:image/svg+xml;base64,')


@pytest.mark.parametrize(
    "svg",
    [
        None,
        "",
        "<html><svg></svg></html>",
        "<svg><script>alert(1)</script></svg>",
        "<svg><svg:script>alert(1)</svg:script></svg>",
        "<svg><ScRiPt/></svg>",
        "<svg><foreignObject><p>x</p></foreignObject></svg>",
        '<svg onload="alert(1)"></svg>',
        "<svg><g ONCLICK = 'x'/></svg>",
        '<svg><a href="https://example.com">x</a></svg>',
        '<svg><image xlink:href="x.png"/></svg>',
        "<svg><style>@import 'x.css'</style></svg>",
        "<svg><rect style='fill:url(https://example.com/x)'/></svg>",
        '<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>',
        "<svg>&a;</svg>",
        "<svg><!-- --></svg>",
        "<svg>\ud800</svg>",
        "<svg></svg><p>more</p>",
        "<svg>" + "x" * 300_000 + "</svg>",
    ],
)
def test_anything_but_a_plain_drawing_is_left_out(svg: str | None) -> None:
    """Scripts, handlers, addresses, entities, foreign elements and huge files are refused."""
    assert loss_picture(svg) is None
