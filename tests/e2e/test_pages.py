"""The demo page and the rendered contract in a real browser, against the whole local stack."""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from local_project import ROOT
from visits import DESK, PHONE, Visit, running_browser

pytestmark = pytest.mark.e2e
PAGE, TALL_PHONE = {"width": 900, "height": 970}, {"width": 375, "height": 1150}
STATUS = Path(os.environ.get("LOCAL_DIR", ROOT / ".local"), "status.json")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests."""
    with running_browser(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture
def visit(browser: Browser, project: Any) -> Iterator[Any]:
    """Opens pages in fresh profiles, which are closed afterwards."""
    made: list[Visit] = []

    def create(**options: Any) -> Visit:
        made.append(Visit(browser, project.status["api_url"], **options))
        return made[-1]

    yield create
    for one in made:
        one.page.context.close()


def classify(page: Page, *texts: str) -> None:
    page.get_by_label("Texts, one per line").fill("\n".join(texts))
    page.get_by_role("button", name="Classify").click()
    expect(page.locator("#results li")).to_have_count(len(texts))


def test_texts_are_classified(visit: Any) -> None:
    """Each line gets a label, a bar for each class and a score; version, latency and code are shown."""
    one = visit()
    page = one.open("/")
    classify(page, "The zoom is sharp up to 200 mm.", "It was a gift for my grandson.")
    expect(page.locator("#results .label").first).to_have_text(re.compile("^(not )?helpful$"))
    expect(page.locator("#results progress")).to_have_count(4)
    expect(page.locator("#version")).not_to_be_empty()
    expect(page.locator("#latency")).to_have_text(re.compile(r"^\d+ ms$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Is this review helpful?")
    expect(page.locator("#classes-rows tr")).to_have_count(2)
    expect(page.locator("#code")).to_contain_text(f"curl -X POST '{one.url}/v1/predictions'")
    one.assert_clean()


def test_it_works_without_the_slash_too(visit: Any) -> None:
    """Opened without a slash behind the stage, the page still finds the API and its links."""
    one = visit()
    page = one.open("")
    classify(page, "Sharp.")
    expect(page.get_by_role("link", name="API reference")).to_have_attribute("href", f"{one.url}/docs")
    one.assert_clean()


def test_answers_are_sorted_by_helpfulness(visit: Any) -> None:
    """Most helpful first is by falling score, least helpful first by rising, as pasted is as pasted."""
    page = visit().open("/")
    texts = ["A gift.", "Battery lasts nine hours at half brightness.", "Fine.", "Sharp up to 200 mm, then soft."]
    classify(page, *texts)

    def scores() -> list[float]:
        return [float(text.split()[1].strip(",")) for text in page.locator("#results .score").all_inner_texts()]

    page.get_by_label("Order").select_option("most")
    best = scores()
    page.get_by_label("Order").select_option("least")
    assert best == sorted(best, reverse=True) and scores() == best[::-1]
    page.get_by_label("Order").select_option("given")
    shown = page.locator("#results p:first-child").all_inner_texts()
    assert all(text in line for text, line in zip(texts, shown, strict=True))


def test_an_error_is_told_in_words(visit: Any) -> None:
    """What the API refuses is shown with what to do and the request's id; and it has the focus."""
    page = visit().open("/")
    page.get_by_label("Texts, one per line").fill("\n".join(["\u20ac" * 20_000] * 90))
    page.get_by_role("button", name="Classify").click()
    problem = page.locator("#problem")
    expect(problem).to_be_focused()
    expect(problem).to_contain_text("Send fewer lines at once")
    expect(problem).to_contain_text("Request ")
    expect(page.locator("#answer")).to_be_hidden()


def test_an_api_that_is_gone_is_told_in_words(visit: Any) -> None:
    """A connection that breaks is no stack trace either."""
    page = visit().open("/")

    def abort(route: Route) -> None:
        route.abort()

    page.route("**/v1/predictions", abort)
    page.get_by_role("button", name="Classify").click()
    expect(page.locator("#problem")).to_contain_text("There was no answer")


def test_texts_are_shown_as_texts(visit: Any) -> None:
    """Markup in a review is neither interpreted nor run."""
    one = visit()
    page = one.open("/")
    classify(page, "<img src=x onerror=alert(1)><b>bold</b>")
    expect(page.locator("#results li")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("#results img, #results p b").count() == 0
    one.assert_clean()


def test_the_keyboard_is_enough(visit: Any) -> None:
    """Tab, type, Ctrl + Enter, Tab, arrow: texts are classified and sorted without a mouse."""
    page = visit().open("/")
    for _ in range(4):  # three links, then the texts
        page.keyboard.press("Tab")
    expect(page.get_by_label("Texts, one per line")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("A gift.")
    page.keyboard.press("Enter")
    page.keyboard.type("Battery lasts nine hours at half brightness.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#results li")).to_have_count(2)
    expect(page.locator("#answer")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Order")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Order")).to_have_value("most")


@pytest.mark.parametrize("path", ["/", "/docs"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["375px", "1280px"])
def test_pages_fit_and_are_accessible(visit: Any, path: str, scheme: str, size: dict[str, int]) -> None:
    """At phone and desk width, light and dark: nothing sticks out, and axe-core finds nothing serious."""
    one = visit(viewport=size, color_scheme=scheme, bypass_csp=True)  # axe is brought in by the test
    page = one.open(path)
    if path == "/":
        classify(page, "The zoom is sharp up to 200 mm.", "It was a gift.")
    one.assert_accessible()
    one.assert_clean()


def test_the_contract_is_rendered_without_a_script(visit: Any) -> None:
    """GET /docs shows every operation and error, works with scripts switched off, and asks for nothing more."""
    one = visit(java_script_enabled=False)
    page = one.open("/docs")
    for path in ("/v1/predictions", "/v1/health", "/v1/model"):
        expect(page.get_by_role("heading", name=path)).to_be_visible()
    expect(page.locator("#errors")).to_be_visible()
    assert [urlsplit(url).path.rpartition("/")[2] for url in one.asked if not url.startswith("data:")] == ["docs"]
    one.assert_clean()


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_policy_allows_only_what_the_page_holds(visit: Any, path: str) -> None:
    """The Content-Security-Policy names hashes and this origin, and neither page has an inline event handler."""
    one = visit()
    answer = one.page.goto(one.url + path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert not re.search(r"<[^>]+ on[a-z]+=", answer.text())
    one.assert_clean()


@pytest.mark.parametrize(
    ("name", "size", "scheme"),
    [("demo-page", PAGE, "light"), ("demo-page-dark", PAGE, "dark"), ("demo-page-phone", TALL_PHONE, "light")],
)
def test_pictures_of_the_demo_page_are_taken(
    request: pytest.FixtureRequest, browser: Browser, tmp_path: Path, name: str, size: dict[str, int], scheme: Any
) -> None:
    """With `--write-pictures` those of the documents, of the API that `make up` started; else as a trial."""
    wanted = request.config.getoption("--write-pictures")
    status = json.loads(STATUS.read_text()) if wanted else request.getfixturevalue("project").status
    file = (ROOT / "docs" / "images" if wanted else tmp_path) / f"{name}.png"
    one = Visit(browser, status["api_url"], viewport=size, color_scheme=scheme)
    page = one.open("/")
    classify(page, "This was a Christmas gift for my grandson.", "The zoom is sharp up to 200 mm, then it gets soft.")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.screenshot(path=file)
    assert struct.unpack(">II", file.read_bytes()[16:24]) == (size["width"], size["height"])
    one.page.context.close()
