"""tables.json_rows: JSON Lines and the documents that programs write, with the rows that have to come out."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pandas
import pytest

from tables import ReadSettings, Table, TableError, open_table, read_table

ROWS: list[dict[str, object]] = [
    {"text": 'a "b"\nc, d', "label": "yes"},
    {"text": "größer {x} [y]", "label": "no"},
    {"text": "Größe", "label": "yes"},
]
FRAME = pandas.DataFrame(ROWS)


def read(tmp_path: Path, content: str, **settings: Any) -> Table:
    """The table of a file with this content."""
    (tmp_path / "data").write_text(content, encoding="utf-8", newline="")
    return read_table(tmp_path / "data", ReadSettings(**settings))


def lines(rows: list[dict[str, object]], end: str = "\n") -> str:
    """JSON Lines."""
    return "".join(json.dumps(row) + end for row in rows)


DOCUMENTS = {
    "lines": lines(ROWS),
    "lines with CRLF": lines(ROWS, "\r\n"),
    "lines with CR": lines(ROWS, "\r"),
    "a comma after each line": lines(ROWS, ",\n"),
    "an array, a row a line": "[\n" + lines(ROWS, ",\n").rstrip(",\n") + "\n]\n",
    "an array on one line": json.dumps(ROWS),
    "an array, indented": json.dumps(ROWS, indent=2),
    "objects, indented": "\n".join(json.dumps(row, indent=2) for row in ROWS),
    "objects on one line": " ".join(json.dumps(row) for row in ROWS),
    "under a key": json.dumps({"version": "1", "data": ROWS}),
    "under two keys": json.dumps({"corpus": {"language": "de", "examples": ROWS}}),
    "by columns, lists": json.dumps(FRAME.to_dict(orient="list")),
    **{
        f"pandas, {orient}": FRAME.to_json(orient=orient)
        for orient in ("columns", "index", "split", "records", "table")
    },
    "pandas, columns, indented": FRAME.to_json(indent=2),
}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_rows_are_the_same_in_every_shape(kind: str, tmp_path: Path) -> None:
    """Found in the content, whatever the file's name."""
    table = read(tmp_path, DOCUMENTS[kind])
    found = [row.values for row in table.rows if row.values is not None]
    assert [{name: row[name] for name in ("text", "label")} for row in found] == ROWS
    assert [row.problem for row in table.rows if row.problem] == []
    assert table.how.format in ("jsonl", "json")


def test_nested_objects_get_names_with_dots(tmp_path: Path) -> None:
    """Lists stay lists; an array of one object is a row, too."""
    nested = {"input": {"text": "a", "meta": {"lang": "en"}}, "labels": ["x", "y"], "empty": {}}
    flat = {"input.text": "a", "input.meta.lang": "en", "labels": ["x", "y"]}
    for content in (lines([nested] * 2), json.dumps([nested] * 2), json.dumps({"rows": [nested] * 2})):
        table = read(tmp_path, content)
        assert [row.values for row in table.rows] == [flat, flat]
        assert table.columns == ("input.text", "input.meta.lang", "labels")
    assert [row.values for row in read(tmp_path, lines([nested])).rows] == [flat]


def test_values_keep_their_types_and_nan_is_missing(tmp_path: Path) -> None:
    """Large whole numbers stay exact; NaN is not JSON."""
    table = read(tmp_path, '{"a": 9007199254740993, "b": 1.0, "c": true, "d": NaN}\n{"a": null, "e": 1}\n')
    assert [row.values for row in table.rows] == [
        {"a": 9007199254740993, "b": 1.0, "c": True, "d": None},
        {"a": None, "e": 1},
    ]
    assert table.columns == ("a", "b", "c", "d", "e")


def test_malformed_lines_are_reported_one_by_one(tmp_path: Path) -> None:
    """Without their text."""
    content = '{"text": "a"}\n{"text": secret}\n\n["secret"]\n"secret"\n{"text": "b", "text": "c"}\n' + "[" * 10 + "\n"
    table = read(tmp_path, content + '{"text": "d"}\n' * 9)
    assert [row.line for row in table.rows if row.values] == [1, *range(8, 17)]
    assert [(row.line, row.problem) for row in table.rows if row.problem] == [
        (2, "not JSON: Expecting value at character 10"),
        (4, "a JSON array, not an object"),
        (5, "a JSON string, not an object"),
        (6, "not usable JSON: a key twice"),
        (7, "not JSON: Expecting value at character 11"),
    ]


def test_lines_of_an_array_are_numbered(tmp_path: Path) -> None:
    """As an editor shows them."""
    table = read(tmp_path, '[\n  {"a": 1},\n\n  {\n "a": 2\n },\n 7,\n {"a": 3}\n]')
    assert [(row.line, row.problem) for row in table.rows] == [
        (2, ""),
        (4, ""),
        (7, "a JSON number, not an object"),
        (8, ""),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[{"a": 1}, {"a": ]', "line 1, character 18"),
        ('{"a": [\n', "is not JSON"),
        ("[1, 2]", "without objects"),
        ('{"train": [{"a": 1}], "test": [{"a": 1}]}', "2 lists of rows"),
        ("[" * 100_000 + "\n", "JSON"),
    ],
)
def test_documents_that_cannot_be_read_are_refused(content: str, words: str, tmp_path: Path) -> None:
    """With the place, and the shape that is easiest."""
    with pytest.raises(TableError) as caught:
        read(tmp_path, content, format="json")
    assert words in caught.value.message
    assert "a line" in caught.value.hint or "a file for each" in caught.value.hint


def test_text_that_begins_with_a_bracket_is_a_table(tmp_path: Path) -> None:
    """`[removed]` is a text, too."""
    table = read(tmp_path, "[removed],1\n[deleted],0\nfine words,1\n")
    assert table.how.format == "csv"
    assert len(table.rows) == 3


def test_lines_are_read_while_they_are_asked_for(tmp_path: Path) -> None:
    """And anew each time."""
    (tmp_path / "data").write_text(lines(ROWS * 2000), encoding="utf-8")
    stream = open_table(tmp_path / "data")
    assert next(iter(stream.rows)).values == ROWS[0]
    assert sum(1 for _ in stream.rows) == sum(1 for _ in stream.rows) == 6000


def test_pandas_lines_with_old_encodings(tmp_path: Path) -> None:
    """As a program writes them that was told of latin-1."""
    buffer = io.StringIO()
    FRAME.to_json(buffer, orient="records", lines=True, force_ascii=False)
    (tmp_path / "data").write_bytes(buffer.getvalue().encode("latin-1"))
    table = read_table(tmp_path / "data")
    assert [row.values for row in table.rows] == ROWS
    assert table.how.encoding == "cp1252"
