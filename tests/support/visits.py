"""Pages in a real browser: each visit has a fresh profile and notes what went on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tools import browser as chromium

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PHONE, DESK = {"width": 375, "height": 740}, {"width": 1280, "height": 800}
WITHOUT = (
    # Chromium without a window has the parts of a window all the same. Those that are web pages themselves, and the
    # process in reserve, took half of the time of a visit. As of Chromium 156; an unknown name is ignored.
    *("InitialWebUI", "WebUIReloadButton", "WebUIToolbar", "SpareRendererForSitePerProcess"),
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"),
    # Playwright's list, which counts no more beside ours: nothing on the side, pictures without delay.
    *("DestroyProfileOnBrowserClose", "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "PaintHolding"),
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect"),
    *("MediaRouter", "LensOverlay", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled"),
    "PreconnectToSearch",
)
"""Features that Chromium switches off."""


@contextmanager
def running_browser(home: Path) -> Iterator[Browser]:
    """Run Chromium without a window, with a home of its own; skip the test where there is none."""
    executable = chromium.find()
    if executable is None:
        pytest.skip(f"no browser: {chromium.HOW_TO}")
    environment: dict[str, str | float | bool] = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    with sync_playwright() as playwright:
        arguments = [*chromium.ARGUMENTS, f"--disable-features={','.join(WITHOUT)}"]
        running = playwright.chromium.launch(executable_path=str(executable), args=arguments, env=environment)
        yield running
        running.close()


class Visit:
    """A page of the API in a fresh profile, and what went on in it."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url = url
        self.page: Page = browser.new_context(**options).new_page()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text) if _is_bad(message.type) else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path: str) -> Page:
        """Go to a page of the API."""
        self.page.goto(self.url + path)
        return self.page

    def assert_clean(self) -> None:
        """No error in the console, and no request that left the origin."""
        assert self.complaints == []
        origin = urlsplit(self.url).netloc
        assert [url for url in self.asked if not url.startswith("data:") and urlsplit(url).netloc != origin] == []

    def assert_accessible(self) -> None:
        """Nothing sticks out of the screen, and axe-core finds nothing serious; needs the option `bypass_csp`."""
        size = self.page.viewport_size
        assert size is not None and self.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        self.page.add_script_tag(path=AXE)
        found = self.page.evaluate("axe.run()")["violations"]
        serious = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]
        assert serious == []


def _is_bad(kind: str) -> bool:
    return kind in ("error", "warning")
