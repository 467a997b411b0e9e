"""docs/article.ipynb as it is committed: with the outputs of its own code, and nothing in them that is private."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime

import pytest

from notebooks import ARTICLE, Notebook

PRIVATE = re.compile(
    r"(?<![\w.:/])/(home|root|tmp|work|var|opt|mnt|private|Users)/|\b(AKIA|ASIA|LOCAL)[0-9A-F]{12,}|\bhf_\w{8,}|x-api-key|-----BEGIN"
)
ARTICLE_STEPS = ("Collect", "Prepare", "Fine-tune", "Test with", "Evaluate", "Publish", "Deploy", "Call it")


@pytest.fixture(scope="module")
def article() -> Notebook:
    """The notebook, read."""
    return Notebook(ARTICLE)


def test_its_outputs_are_those_of_its_code(article: Notebook) -> None:
    """It was run from its first cell to its last, as it stands, on the day that it names; else: `make notebook`."""
    assert [cell.execution_count for cell in article.cells] == list(range(1, len(article.cells) + 1))
    stated = re.search(r"Executed on (\d+ \w+ \d{4}) \(code (\w+)\)", article.text)
    assert stated and stated[2] == article.digest, "its code has changed: make up, then make notebook"
    assert datetime.strptime(stated[1], "%d %B %Y").replace(tzinfo=UTC) <= datetime.now(UTC)


def test_it_shows_figures_and_plots_without_noise(article: Notebook) -> None:
    """Every cell but imports shows something; no error, warning or progress bar, no time of a single run."""
    assert article.noise == []
    assert [cell.source[:60] for cell in article.cells if not cell.outputs] == []
    assert len(article.pictures) >= 3
    assert all(len(base64.b64decode(picture)) < 100_000 for picture in article.pictures)
    assert not [cell for cell in article.cells if "execution" in cell.metadata]


def test_it_holds_no_path_of_a_machine_and_no_key(article: Notebook) -> None:
    """Neither in outputs nor in code; the pattern finds what it is for."""
    for secret in ("/home/me/x", "see /tmp/y/z", "LOCAL2FAE28B259BEFE80", "hf_" + "a" * 12):
        assert PRIVATE.search(secret)
    assert not PRIVATE.search("\n".join([article.text, article.prose, *article.code]))
    everything = ARTICLE.read_text(encoding="utf-8")
    assert not PRIVATE.search(re.sub(r'"image/png": "[^"]*"', "", everything))


def test_it_has_the_articles_steps_and_its_links_lead_somewhere(article: Notebook) -> None:
    """One heading a step, in the article's order."""
    headings = re.findall(r"^## \d\. (.*)$", article.prose, re.MULTILINE)
    assert len(headings) == len(ARTICLE_STEPS)
    assert all(heading.startswith(step) for heading, step in zip(headings, ARTICLE_STEPS, strict=True))
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", article.prose)
    assert links and [link for link in links if not (ARTICLE.parent / link).exists()] == []
