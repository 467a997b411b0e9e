"""The notebook that follows the article, executed against a served model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from fake_hub import TOKEN, FakeHub
from json_server import JsonServer
from local_project import BUNDLED_DATA, LocalProject
from notebooks import ARTICLE, Notebook

pytestmark = pytest.mark.e2e


def open_data(path: str, *_: Any) -> tuple[int, dict[str, str], bytes]:
    """Stand for the host of the data set, with the bundled files."""
    return 200, {"Content-Type": "application/json"}, (BUNDLED_DATA / path[1:]).read_bytes()


@pytest.mark.proves("make notebook")
def test_every_cell_runs(project: LocalProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the download to the last request, without an error or a warning; the dry run asks a Hub and sends nothing.

    The committed file took the other way twice: no data host could be reached, and there was no token.
    """
    before, copy = ARTICLE.read_bytes(), tmp_path / "executed.ipynb"
    with JsonServer(open_data) as host, FakeHub() as hub:
        more = {"ARTICLE_DATA_URL": host.url, "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": TOKEN}
        for name, value in more.items():
            monkeypatch.setitem(project.environment, name, value)
        project.make("notebook", f"ARGS=--output={copy}")
        assert host.asked == ["/train.json", "/test.json"] and hub.changes == []
    executed = Notebook(copy)
    assert executed.code == Notebook(ARTICLE).code and ARTICLE.read_bytes() == before
    assert executed.noise == []
    assert all(cell.execution_count and cell.outputs for cell in executed.cells)
    for shown in (executed.digest, "Downloaded from 127.0.0.1.", "nothing was sent", "InService", "SUCCEEDED"):
        assert shown in executed.text, executed.text
    for name in ("accuracy", "f1"):
        row = re.search(rf"^{name} +([\d.]+) +([\d.]+) +([\d.]+)$", executed.text, re.MULTILINE)
        assert row is not None
        figure, low, high = map(float, row.groups())
        assert 0.6 < low <= figure <= high <= 1, row[0]
    assert TOKEN not in copy.read_text(encoding="utf-8")
    rows = len((BUNDLED_DATA / "test.json").read_text(encoding="utf-8").splitlines())
    assert f"{rows} sentences in 2 requests" in executed.text and f"{rows} test sentences" in executed.text
