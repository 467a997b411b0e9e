"""The documentation's site: built with warnings as errors, then looked at in a real browser."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from running_server import RunningServer
from visits import DESK, PHONE, Visit, running_browser

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "build" / "docs"


class Site(RunningServer):
    """The built site over HTTP.

    Attributes:
        ran: arguments of the `make` commands that built it.
    """

    def __init__(self) -> None:
        done = subprocess.run(["make", "--no-print-directory", "docs"], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        self.ran = [("docs",)]
        super().__init__(ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(BUILT))))


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """The site, built once."""
    with Site() as built:
        yield built


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests."""
    with running_browser(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.mark.proves("make docs")
def test_the_site_has_every_page(site: Site) -> None:
    """Each Markdown page of the project became one; Sphinx has checked that each is in the navigation."""
    names = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    assert [name for name in names if not (BUILT / name).with_suffix(".html").is_file()] == []
    assert len(names) > 40


def test_the_first_page_leads_to_all_others(site: Site, browser: Browser) -> None:
    """The site opens at its folder, and a search finds a page, without asking any other host."""
    one = Visit(browser, site.url)
    page = one.open("/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("documentation")
    expect(page.locator(".sidebar-tree").get_by_role("link", name="How it works")).to_have_count(1)
    page.get_by_placeholder("Search").fill("provisioned_concurrency")
    page.keyboard.press("Enter")
    expect(page.locator("#search-results").get_by_role("link", name="Configuration", exact=True)).to_be_visible()
    one.assert_clean()


def test_a_link_to_a_function_leads_to_its_lines(site: Site, browser: Browser) -> None:
    """The code is a page of the site, and the link goes to where the name is defined."""
    one = Visit(browser, site.url)
    page = one.open("/docs/how-it-works.html")
    page.get_by_role("link", name="Breaker", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("lambda/predict/service.py")
    line = page.url.partition("#")[2]
    source = (ROOT / "lambda" / "predict" / "service.py").read_text().splitlines()
    assert source[int(line.removeprefix("L-")) - 1] == "class Breaker:"
    expect(page.locator(f"#{line}")).to_be_in_viewport()
    one.assert_clean()


@pytest.mark.parametrize(
    ("path", "scheme", "size"),
    [
        ("docs/README", "dark", PHONE),
        ("docs/configuration", "dark", PHONE),
        ("docs/api-reference", "light", PHONE),
        ("docs/how-it-works", "light", DESK),
        ("code/lambda/predict/service.py", "dark", DESK),
    ],
)
def test_pages_fit_and_are_accessible(
    request: pytest.FixtureRequest, site: Site, browser: Browser, path: str, scheme: Any, size: Any
) -> None:
    """At phone and desk width, dark and light: nothing sticks out, axe-core finds nothing serious, no other host.

    With `--write-pictures` it leaves a picture of each page in build/pictures, to be looked at.
    """
    one = Visit(browser, site.url, viewport=size, color_scheme=scheme)
    one.open(f"/{path}.html")
    one.assert_clean()
    one.assert_accessible()
    if request.config.getoption("--write-pictures"):
        one.page.screenshot(path=BUILT.with_name("pictures") / f"{Path(path).name}.png", full_page=True)
