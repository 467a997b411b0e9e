"""The whole report."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from classifier.evaluation.figures import measure
from gate.evidence.evidence import AnsweredRow
from gate.report.page import STYLE, render_report
from gate.report.report import Report
from gate.report.tables import by_confidence
from gate.statistics.measure import Measured
from gate.statistics.slices import SliceCounts, SliceTest

Simulated = Callable[..., Report]
Rows = Callable[..., tuple[AnsweredRow, ...]]

SECTIONS = [
    "verdict",
    "figures",
    "confusion",
    "precision-recall",
    "reliability",
    "scores",
    "loss",
    "slices",
    "mistakes",
    "differences",
    "provenance",
]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></title></svg></table><h1>",
    "NUL \x00 bell \x07 escape \x1b",
    "\u202eright to left\u2066",
    "lone \ud800 surrogate",
    "👩‍👩‍👧‍👦 שלום مرحبا 中文",
    "&lt;b&gt; &amp;amp;",
    "a" * 100_000,
    " \n" * 50_000,
    "",
]


class Page(HTMLParser):
    """Parses a page, fails on an element that is not closed in order, and keeps what the tests ask for."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


TUNING = {
    "job": "text-classifier-dev-0badcafe",
    "metric": "tuning_objective",
    "values": {"epochs": "3"},
    "trials": [
        {
            "job": "trial-1",
            "values": {"epochs": "8"},
            "status": "Failed",
            "reason": "the <mark>training</mark> diverged",
        },
        {"job": "trial-2", "values": {"epochs": "2"}, "objective": 0.8412, "status": "Stopped", "seconds": 31},
        {"job": "trial-3", "values": {"epochs": "3"}, "objective": 0.8731, "status": "Completed", "seconds": 95},
    ],
}


def check(data: Report) -> Page:
    """Renders a report and checks that its elements are closed, and that it runs and fetches nothing."""
    text = render_report(data)
    text.encode("utf-8")
    page = Page(text)
    tuned = ["tuning"] if data.provenance.tuning else []
    assert [section["id"] for section in page.named("section")] == [*SECTIONS[:-1], *tuned, SECTIONS[-1]]
    assert not {"script", "link", "iframe", "object", "form", "base"} & {name for name, _ in page.elements}
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("src") or "data:image/svg+xml;base64,").startswith("data:image/svg+xml;base64,")
        assert (attributes.get("href") or "#").startswith("#")
        for name in {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "points"} & set(attributes):
            assert re.fullmatch(r"[-\d., ]*", str(attributes[name]))
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", text)
    identifiers = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    return page


def test_a_full_report_shows_every_part(report: Simulated) -> None:
    """Six drawings with a name and a description each, the loss curve, and tables with captions."""
    page = check(report())
    drawings = page.named("svg")
    identifiers = {attributes.get("id") for _, attributes in page.elements}
    assert len(drawings) == 6
    for drawing in drawings:
        assert drawing["role"] == "img"
        assert set(str(drawing["aria-labelledby"]).split()) <= identifiers
    assert len(page.named("img")) == 1 and page.named("img")[0]["alt"]
    assert len(page.named("caption")) == len(page.named("table"))
    assert len(page.named("h1")) == 1 and len(page.named("h2")) == len(SECTIONS)


def test_a_tuned_challenger_shows_all_trials(report: Simulated) -> None:
    """Values, validation figure, status with its reason and seconds of each trial, best first; one was judged."""
    page = check(report(provenance=replace(report().provenance, job_name="trial-3", tuning=TUNING)))
    assert "3\N{NO-BREAK SPACE}trials of text-classifier-dev-0badcafe: 1 completed, 1 stopped, 1 failed." in page.words
    rows = ["trial-3 (judged)epochs 30.8731Completed95", "trial-2epochs 20.8412Stopped31", "trial-1epochs 8"]
    places = [page.words.index(row) for row in rows]
    assert places == sorted(places)
    assert "Failed: the <mark>training</mark> diverged" in page.words and not page.named("mark")
    assert {"href": "#tuning"} in page.named("a")
    assert {"href": "#tuning"} not in check(report()).named("a")


def test_the_verdict_comes_first_with_its_reasons(report: Simulated) -> None:
    """The decision, the summary and each reason stand before any figure."""
    data = report()
    words = check(data).words
    decided = ("Approved", "This model goes into service.", data.summary, *data.decision.reasons)
    places = [words.index(sentence) for sentence in (*decided, "On 1,000")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("status", "outcome", "words"),
    [
        ("Approved", "passed", ["Approved", "This model goes into service. The gate's conditions hold."]),
        ("Rejected", "refused", ["Rejected", "The gate's conditions do not hold."]),
        ("PendingManualApproval", "undecided", ["Waiting for a person", "could not decide whether"]),
    ],
)
def test_every_status_is_said_in_words(report: Simulated, status: str, outcome: str, words: list[str]) -> None:
    """People who see no colours can read the decision."""
    page = check(report(status=status, outcome=outcome, summary=""))
    assert all(word in page.words for word in words)


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_is_taken_for_markup(report: Simulated, rows: Rows, hostile: str) -> None:
    """With any text in any place the page stays well-formed, inactive and small."""
    given = report()
    names = ("job_name", "package_group", "created", "data_source", "image")
    measured = given.decision.measured
    assert measured is not None and measured.comparison is not None
    slices = (SliceTest(SliceCounts(hostile, 1, 0, 0, 1), 1.0, worse=False),)
    wrong = [
        one._replace(row=replace(one.row, text=hostile, family=hostile, label=1 - one.answer.label)) for one in rows(40)
    ]
    data = report(
        wrong,
        provenance=replace(given.provenance, **dict.fromkeys(names, hostile), hyperparameters={hostile: hostile}),
        summary=hostile,
        reasons=(hostile,),
        champion_version=hostile,
        measured=replace(measured, comparison=replace(measured.comparison, slices=slices)),
        labels=(hostile, hostile),
        loss_svg=hostile,
    )
    check(data)
    assert len(render_report(data)) < 150_000


def test_a_long_sentence_is_cut_at_300_characters(report: Simulated, rows: Rows) -> None:
    """299 characters and an ellipsis are shown."""
    one = rows(1)[0]
    wrong = one._replace(row=replace(one.row, text="x" * 100_000, label=1), answer=replace(one.answer, label=0))
    words = check(report([wrong])).words
    assert "x" * 299 + "…" in words
    assert "x" * 300 not in words


def test_the_confusion_matrix_counts_truth_against_answers(report: Simulated, rows: Rows) -> None:
    """There is a row for each true label; precision and recall follow from the same counts."""
    pairs = [(0, 0)] * 3 + [(0, 1)] * 2 + [(1, 0)] + [(1, 1)] * 4
    drawn = [
        one._replace(row=replace(one.row, label=label), answer=replace(one.answer, label=answered))
        for one, (label, answered) in zip(rows(10), pairs, strict=True)
    ]
    words = check(report(drawn)).words
    assert "truly not_helpful360.0\u00a0%240.0\u00a0%5truly helpful120.0\u00a0%480.0\u00a0%5" in words
    assert "66.7\u00a0% of its answers helpful are right, and it finds 80.0\u00a0% of all helpful" in words


def test_the_twenty_most_confident_mistakes_of_each_kind_are_listed(report: Simulated, rows: Rows) -> None:
    """The sentence after the twentieth is not shown, and the caption gives the number of all."""
    drawn = rows(1_000)
    words = check(report(drawn)).words
    listed = words[words.index("Answered helpful, truly") : words.index("Where challenger and champion differ")]
    for label in (0, 1):
        wrong = by_confidence(one for one in drawn if one.answer.label == label != one.row.label)
        assert f"the 20 most confident of {len(wrong)}" in listed
        assert [one.row.text in listed for one in wrong] == [True] * 20 + [False] * (len(wrong) - 20)


def one_row(rows: Sequence[AnsweredRow]) -> Sequence[AnsweredRow]:
    return rows[:1]


def all_of(label: int) -> Callable[[Sequence[AnsweredRow]], Sequence[AnsweredRow]]:
    return lambda rows: [one._replace(row=replace(one.row, label=label)) for one in rows]


def never_answered(rows: Sequence[AnsweredRow]) -> Sequence[AnsweredRow]:
    return [one._replace(answer=replace(one.answer, label=0, confidence=1.0)) for one in rows]


def always_right(rows: Sequence[AnsweredRow]) -> Sequence[AnsweredRow]:
    right = [replace(one.answer, label=one.row.label) for one in rows]
    return [one._replace(answer=answer, champion=answer) for one, answer in zip(rows, right, strict=True)]


def one_score(rows: Sequence[AnsweredRow]) -> Sequence[AnsweredRow]:
    return [one._replace(row=replace(one.row, score=1.0), answer=replace(one.answer, score=1.0)) for one in rows]


@pytest.mark.parametrize(
    "change",
    [one_row, all_of(0), all_of(1), never_answered, always_right, one_score],
    ids=["one row", "all label 0", "all label 1", "label 1 never answered", "no mistake", "one score"],
)
def test_odd_test_sets_are_reported(
    report: Simulated, rows: Rows, change: Callable[[Sequence[AnsweredRow]], Sequence[AnsweredRow]]
) -> None:
    """Nothing divides by zero, no scale is empty, and the page is well-formed."""
    check(report(change(rows(50))))


def test_without_a_champion_nothing_is_compared(report: Simulated, rows: Rows) -> None:
    """Without a champion a sentence replaces the difference chart."""
    alone = Measured(measure([1, 0] * 15, [1, 0] * 14 + [1, 1], labels=2), multilabel=False, commonest_share=0.5)
    page = check(report([one._replace(champion=None) for one in rows(30)], measured=alone))
    assert "There is no champion to compare with." in page.words
    assert "No champion answered these sentences" in page.words
    assert len(page.named("svg")) == 5


def test_without_scores_a_sentence_stands_for_the_scatter(report: Simulated, rows: Rows) -> None:
    """Data with labels only has no scatter plot, and the report says so."""
    page = check(report(rows(30, scores=False)))
    assert "labels only and no scores" in page.words
    assert not [drawing for drawing in page.named("svg") if "score-chart" in str(drawing["aria-labelledby"])]


def test_a_challenger_that_never_answered_still_has_a_report(report: Simulated) -> None:
    """No rows and no figures: every section is there and says that there is nothing to show."""
    page = check(report([], measured=None, verdict=None, loss_svg=None))
    assert page.words.count("There are no answers to test sentences") == 6
    assert page.named("svg") == []


def test_two_thousand_rows_stay_small(report: Simulated, rows: Rows) -> None:
    """The whole page below 1.5 MB, its scatter below 400 kB, and every row in it is a dot."""
    text = render_report(report(rows(2_000)))
    assert len(text.encode()) < 1_500_000
    scatter = text[text.index("score-chart-title") :]
    scatter = scatter[: scatter.index("</svg>")]
    assert scatter.count("<circle") == 2_000
    assert len(scatter) < 400_000


def test_a_huge_test_set_is_thinned_and_says_so(report: Simulated, rows: Rows) -> None:
    """20,000 rows draw every fifth dot."""
    text = render_report(report(rows(20_000)))
    assert text.count("<circle") < 4_100
    assert "Only every 5th dot is drawn." in text
    assert len(text) < 1_500_000


def test_the_same_data_gives_the_same_bytes(report: Simulated) -> None:
    """The bytes depend neither on the time nor on the order of the hyperparameters."""
    given = report().provenance
    turned = replace(given, hyperparameters=dict(reversed(list(given.hyperparameters.items()))))
    assert render_report(report()) == render_report(report(provenance=turned))


def test_the_browser_is_told_to_fetch_and_run_nothing(report: Simulated) -> None:
    """The policy allows only the page's own styles and the embedded picture; the styles contain no address."""
    (policy,) = [m for m in check(report()).named("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy["content"]).startswith("default-src 'none'")
    assert not re.search(r"@import|url\(|//", STYLE)
