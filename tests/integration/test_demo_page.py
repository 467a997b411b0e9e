"""The demo page in a real browser, in front of made-up models: two, three, 28 and 77 classes, or none known."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from predict.problems import PROBLEM_TYPES
from predict.request import MAX_CHARACTERS, MAX_TEXTS
from stand_in_pages import StandInPages
from visits import DESK, PHONE, Visit, running_browser

pytestmark = pytest.mark.integration

REVIEWS = (["not_helpful", "helpful"], "regression")
INTENTS = ([f"intent_number_{number:02d}" for number in range(77)], "classification")
EMOTIONS = ([f"emotion_{number:02d}" for number in range(28)], "multilabel")
NAMED = (["Beschwerde", "Größe & Maß", "<b>愤怒</b>"], "classification")
UNKNOWN: tuple[list[str], str] = ([], "classification")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests."""
    with running_browser(tmp_path_factory.mktemp("browser")) as running:
        yield running


Open = Callable[..., tuple[StandInPages, Visit]]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Opens the page of a model, once its classes are shown; `before` changes the browser's page before that."""
    opened: list[tuple[StandInPages, Visit]] = []

    def create(
        model: tuple[list[str], str], *, key: bool = False, before: Callable[[Page], None] | None = None, **options: Any
    ) -> tuple[StandInPages, Visit]:
        site = StandInPages(*model, key=key)
        site.__enter__()
        one = Visit(browser, site.url, **options)
        opened.append((site, one))
        if before:
            before(one.page)
        expect(one.open("/").locator("#model")).to_be_visible()
        return site, one

    yield create
    for site, one in opened:
        one.page.context.close()
        site.__exit__(None, None, None)


def classify(page: Page, *texts: str) -> None:
    if texts:
        page.get_by_label("Texts, one per line").fill("\n".join(texts))
    page.get_by_role("button", name="Classify").click()
    expect(page.locator("#answer")).to_be_visible(timeout=30_000)


@pytest.mark.parametrize(
    ("model", "title", "example"),
    [
        (REVIEWS, "Is this review helpful?", "The zoom is sharp"),
        (INTENTS, "Which of 77 classes is it?", "Thank you, that was quick"),
        (EMOTIONS, "Which of 28 classes apply?", "Thank you, that was quick"),
        (NAMED, "Beschwerde, Größe & Maß or <b>愤怒</b>?", "Thank you, that was quick"),
        (UNKNOWN, "Text classifier", "Thank you, that was quick"),
    ],
    ids=["reviews", "intents", "emotions", "named", "unknown"],
)
def test_the_page_knows_the_model(visit: Open, model: Any, title: str, example: str) -> None:
    """Title, examples and classes are the model's; those of the shipped example are only with it."""
    _, one = visit(model)
    page = one.page
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    assert page.get_by_label("Texts, one per line").input_value().startswith(example)
    expect(page.locator("#classes-rows tr")).to_have_count(len(model[0]))
    if model[0]:
        page.locator("#classes-title").click()
        expect(page.get_by_role("rowheader", name=model[0][0], exact=True)).to_be_visible()
    else:
        expect(page.locator("#classes")).to_be_hidden()
    classify(page)
    expect(page.locator("#results li")).to_have_count(4)
    one.assert_clean()


def test_what_is_typed_over_the_first_examples_stands_alone(visit: Open) -> None:
    """The model is known late, between somebody's Ctrl + A and their first letter: its examples stay away."""

    def selected_meanwhile(route: Route) -> None:
        route.request.frame.page.get_by_label("Texts, one per line").press("Control+A")
        route.continue_()

    _, one = visit(REVIEWS, before=lambda page: page.route("**/v1/model", selected_meanwhile))
    one.page.keyboard.type("A gift.")
    expect(one.page.get_by_label("Texts, one per line")).to_have_value("A gift.")
    one.assert_clean()


def test_what_is_typed_before_the_script_runs_is_kept(visit: Open) -> None:
    """A long page on a slow line shows its field before its script has arrived."""
    early = """new MutationObserver((_, observer) => {
        const field = document.getElementById("texts");
        if (!field?.nextElementSibling) return; // not parsed to its end
        field.value = "A gift.";
        observer.disconnect();
    }).observe(document, { childList: true, subtree: true });"""
    _, one = visit(REVIEWS, before=lambda page: page.add_init_script(early))
    expect(one.page.get_by_label("Texts, one per line")).to_have_value("A gift.")
    one.assert_clean()


@pytest.mark.parametrize(("model", "shown", "all_of_them"), [(REVIEWS, 2, 2), (NAMED, 3, 3), (INTENTS, 5, 77)])
def test_every_class_has_a_bar(visit: Open, model: Any, shown: int, all_of_them: int) -> None:
    """The most probable five at once, the others on request and by keyboard."""
    _, one = visit(model)
    page = one.page
    classify(page, "one text")
    expect(page.locator("#results progress")).to_have_count(shown)
    if all_of_them > shown:
        more = page.get_by_role("button", name=f"Show all {all_of_them}")
        more.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#results progress")).to_have_count(all_of_them)
        page.keyboard.press("Enter")
        expect(page.locator("#results progress")).to_have_count(shown)
    values = page.locator("#results progress").evaluate_all("bars => bars.map((bar) => bar.value)")
    assert values == sorted(values, reverse=True)
    one.assert_clean()


def test_several_labels_are_chips(visit: Open) -> None:
    """Each label that applies is one, and a text without any says so."""
    site, one = visit(EMOTIONS)
    texts = [f"text {number}" for number in range(30)]
    classify(one.page, *texts)
    chips = one.page.locator("#results li").evaluate_all(
        "entries => entries.map((entry) => [...entry.querySelectorAll('.label')].map((chip) => chip.textContent))"
    )
    answered = json.loads(site.answer(json.dumps(site.asked[-1]).encode()).body)["predictions"]
    expected = [[label.replace("_", " ") for label in given["labels"]] for given in answered]
    assert [] in expected and chips == [labels or ["no class applies"] for labels in expected]


def test_a_score_is_told_with_its_threshold(visit: Open) -> None:
    """What the number means stands beside it, and the order is by it."""
    _, one = visit(REVIEWS)
    page = one.page
    classify(page)
    expect(page.locator("#results .score").first).to_contain_text("helpful from 1")
    page.get_by_label("Order").select_option("most helpful first")
    scores = [float(text.split()[1].strip(",")) for text in page.locator("#results .score").all_inner_texts()]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("model", [INTENTS, EMOTIONS], ids=["intents", "emotions"])
def test_answers_are_sorted_by_certainty(visit: Open, model: Any) -> None:
    """With many classes there is no second of two to sort by."""
    _, one = visit(model)
    classify(one.page)
    one.page.get_by_label("Order").select_option("least certain first")
    first = one.page.locator("#results .meters").evaluate_all(
        "boxes => boxes.map((box) => box.querySelector('progress').value)"
    )
    assert first == sorted(first)


def test_many_classes_of_many_texts_are_cut(visit: Open) -> None:
    """A thousand classes of a hundred texts would not fit into an answer: fewer are asked for."""
    site, one = visit(([f"label {number}" for number in range(1000)], "classification"))
    classify(one.page, *map(str, range(100)))
    assert site.asked[-1]["parameters"] == {"top_k": 500}


@pytest.mark.parametrize("language", ["curl", "Python", "JavaScript"])
def test_the_code_runs(visit: Open, language: str) -> None:
    """What one copies asks the same as the page does, whatever characters are in the texts."""
    site, one = visit(NAMED)
    page = one.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    texts = ['it\'s "quoted" \\ $HOME `date`', "größer 😀 </script>"]
    classify(page, *texts)
    asked = site.asked[-1]
    page.get_by_label(language, exact=True).check()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#copied")).to_have_text("Copied.")
    code = page.evaluate("navigator.clipboard.readText()")
    if language == "JavaScript":
        page.evaluate(f"(async () => {{ {code} }})()")
    else:
        command = ["bash", "-c", code] if language == "curl" else [sys.executable, "-c", code]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "Größe" in ran.stdout or "Beschwerde" in ran.stdout or "愤怒" in ran.stdout
    assert len(site.asked) == 2 and site.asked[-1] == asked


def test_where_a_key_is_needed_the_code_has_its_place(visit: Open) -> None:
    """The key itself is in no code that one copies."""
    _, one = visit(REVIEWS, key=True)
    one.page.get_by_label("API key").fill("very-secret")
    for language in ("curl", "Python", "JavaScript"):
        one.page.get_by_label(language, exact=True).check()
        code = one.page.locator("#code").inner_text()
        assert "YOUR-KEY" in code and "very-secret" not in code


@pytest.mark.parametrize("code", sorted(PROBLEM_TYPES))
def test_an_error_is_told_in_the_words_of_the_page(visit: Open, code: str) -> None:
    """Never in the API's, which speak of bodies and inputs; with when to try again, and the request's id."""
    site, one = visit(INTENTS)
    kind = PROBLEM_TYPES[code]
    headers = {"Retry-After": "7"} if kind.retry_after else {}
    problem = {
        "title": kind.title,
        "detail": "inputs[0] is …",
        "code": code,
        "request_id": "r-1",
        "status": kind.status,
    }
    site.problem = (kind.status, problem, headers)
    one.page.get_by_role("button", name="Classify").click()
    shown = one.page.locator("#problem")
    expect(shown).to_be_focused()
    told = shown.inner_text()
    assert "inputs" not in told and "Request r-1" in told and ("in 7 s" in told) == bool(headers)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([], "Paste at least one line"),
        (["x"] * (MAX_TEXTS + 1), f"up to {MAX_TEXTS} are classified at once"),
        (["x", "😀" * (MAX_CHARACTERS + 1)], "Text 2 has 20,001 characters; up to 20,000"),
    ],
)
def test_texts_that_the_api_would_refuse_are_not_sent(visit: Open, texts: list[str], said: str) -> None:
    """The page knows the limits of the API."""
    site, one = visit(INTENTS)
    one.page.get_by_label("Texts, one per line").fill("\n".join(texts))
    one.page.get_by_role("button", name="Classify").click()
    expect(one.page.locator("#problem")).to_contain_text(said)
    assert site.asked == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["375px", "1280px"])
@pytest.mark.parametrize("model", [REVIEWS, INTENTS, EMOTIONS], ids=["reviews", "intents", "emotions"])
def test_the_page_fits_and_is_accessible(visit: Open, model: Any, scheme: str, size: dict[str, int]) -> None:
    """At phone and desk width, light and dark, with everything open."""
    _, one = visit(model, viewport=size, color_scheme=scheme, bypass_csp=True)  # axe is brought in by the test
    classify(one.page)
    for more in one.page.get_by_role("button", name="Show all").all()[:1]:
        more.click()
    one.page.locator("#classes-title").click()
    one.assert_accessible()
    one.assert_clean()


def test_an_operation_of_the_reference_can_be_tried(visit: Open) -> None:
    """The form sends what stands in it, with the key, and shows status and answer; a refusal too."""
    site, one = visit(REVIEWS, viewport=PHONE, color_scheme="dark", bypass_csp=True)
    page = one.open("/docs")
    sent = page.locator("form[data-path='/v1/predictions']")
    sent.get_by_label("API key").fill("a key")
    sent.get_by_role("button").click()
    expect(sent.get_by_role("status")).to_contain_text(re.compile(r"^200 .* ms\s.*\"helpful\"", re.DOTALL))
    assert site.asked == [{"inputs": "The zoom is sharp up to 200 mm.", "parameters": {"top_k": None}}]
    page.locator("form[data-path='/v1/model']").get_by_role("button").click()
    expect(page.locator("form[data-path='/v1/model'] output")).to_contain_text('"version": "7"')
    one.assert_accessible()
    one.assert_clean()
    site.problem = (429, {"code": "throttled"}, {"Retry-After": "2"})
    sent.get_by_role("button").click()
    expect(sent.get_by_role("status")).to_contain_text(re.compile(r"^429 .*Retry-After: 2\s.*throttled", re.DOTALL))
