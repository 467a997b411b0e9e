"""tables: what programs write in any dialect and encoding comes back, text by text."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tables import ReadSettings, Table, read_table

CHARACTERS = st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="\ufeff\ufffe") | st.sampled_from(
    "aeiou ,;|'\"ßé"
)
TEXT = st.text(CHARACTERS | st.sampled_from("\n"), min_size=1, max_size=40).map(lambda text: f"w{text}w")
LABEL = st.sampled_from(["yes", "no", "perhaps"])
ROWS = st.lists(st.tuples(TEXT, LABEL), min_size=1, max_size=12)


def table_of(content: bytes, read: ReadSettings | None = None) -> Table:
    """The table of a file with this content."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data"
        path.write_bytes(content)
        return read_table(path, read, wanted=("text", "label"))


def pairs(table: Table) -> list[tuple[object, object]]:
    """Text and label of each row."""
    assert [row.problem for row in table.rows if row.problem] == []
    assert table.columns == ("text", "label"), table.how
    return [(row.values["text"], row.values["label"]) for row in table.rows if row.values is not None]


@settings(max_examples=150, deadline=None)
@given(
    rows=ROWS,
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    quote=st.sampled_from("\"'"),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_csv_with_every_text_in_quotes(
    rows: list[tuple[str, str]], delimiter: str, quoting: int, quote: str, end: str, encoding: str
) -> None:
    """Whatever stands in the texts."""
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, quoting=quoting, quotechar=quote, lineterminator=end).writerows(  # type: ignore[arg-type]
        [("text", "label"), *rows]
    )
    assert pairs(table_of(file.getvalue().encode(encoding))) == rows


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, delimiter=st.sampled_from(",;|"), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_csv_with_quotes_where_they_are_needed(rows: list[tuple[str, str]], delimiter: str, encoding: str) -> None:
    """As pandas and spreadsheets write it."""
    content = pandas.DataFrame(rows, columns=["text", "label"]).to_csv(index=False, sep=delimiter)
    assert pairs(table_of(content.encode(encoding))) == rows


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.text(CHARACTERS, min_size=1, max_size=40).filter(str.strip), LABEL), min_size=1, max_size=12
    )
)
def test_tab_separated_text_without_quotes(rows: list[tuple[str, str]]) -> None:
    """Quotes are characters like others: set, nothing is taken off; found, no row is lost to them."""
    content = "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows)
    assert pairs(table_of(content.encode(), ReadSettings(quote="none"))) == rows
    found = table_of(content.encode())
    if '"' not in content and "'" not in content:
        assert pairs(found) == rows


@settings(max_examples=80, deadline=None)
@given(rows=ROWS, orient=st.sampled_from(["records", "columns", "index", "split", "lines"]), ascii_only=st.booleans())
def test_json_in_every_shape_of_pandas(rows: list[tuple[str, str]], orient: str, ascii_only: bool) -> None:
    """Also with one row."""
    frame = pandas.DataFrame(rows, columns=["text", "label"])
    if orient == "lines":
        content = frame.to_json(orient="records", lines=True, force_ascii=ascii_only)
    else:
        content = frame.to_json(orient=orient, force_ascii=ascii_only)
    assert pairs(table_of(content.encode())) == rows


@settings(max_examples=150, deadline=None)
@given(
    content=st.binary(max_size=300) | st.text(st.sampled_from("ab,;\t\"'\n\r{}[]:\\ 1"), max_size=80).map(str.encode)
)
def test_no_content_ends_in_another_error(content: bytes) -> None:
    """Any bytes are read, or refused with a message and the next step."""
    from tables import TableError

    try:
        table_of(content)
    except TableError as error:
        assert error.hint
        assert error.message


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_pandas_in_western_encodings(encoding: str) -> None:
    """Long texts with a few letters beyond ASCII."""
    rows = [(f"Der Käufer Nr. {n}, „groß“ und schön"[: 40 - n % 3], "ja") for n in range(50)]
    rows = [(text.replace("„", "").replace("“", ""), label) for text, label in rows]
    content = pandas.DataFrame(rows, columns=["text", "label"]).to_csv(index=False, sep=";")
    assert pairs(table_of(content.encode(encoding))) == rows
