"""test_rows.jsonl: the sentences by which the model is judged."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd

from classifier.report.output import write_test_rows


def table(rows: list[tuple[str, int, float, str]]) -> pd.DataFrame:
    """Make a test split like `prepare`."""
    return pd.DataFrame(rows, columns=["text", "label", "score", "family"])


def test_one_object_a_line_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Text, label, score and family are there; a text with any Unicode line separator stays one line."""
    texts = ["good", "so\u2028so\u0085", "größer 👍", 'a "quote"\n']
    path = write_test_rows(tmp_path / "out", table([(text, n % 2, n / 2, "pets") for n, text in enumerate(texts)]))
    assert path == tmp_path / "out/test_rows.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    expected = [{"text": text, "label": n % 2, "score": n / 2, "family": "pets"} for n, text in enumerate(texts)]
    assert [json.loads(line) for line in lines] == expected
    assert [entry.name for entry in path.parent.iterdir()] == ["test_rows.jsonl"]


def test_what_is_not_known_is_null(tmp_path: Path) -> None:
    """Data with labels only has no score, and data without the column no family."""
    path = write_test_rows(tmp_path, table([("text", 1, math.nan, "")]))
    assert path is not None
    assert json.loads(path.read_text()) == {"text": "text", "label": 1, "score": None, "family": None}


def test_without_a_test_split_there_is_no_file(tmp_path: Path) -> None:
    """The file of an earlier run in the same folder is deleted."""
    write_test_rows(tmp_path, table([("text", 1, 1.0, "")]))
    assert write_test_rows(tmp_path, None) is None
    assert list(tmp_path.iterdir()) == []
