"""tables.source and tables.columnar: packed files, Parquet and Excel, found in the content."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pandas
import pyarrow
import pytest
import zstandard
from pyarrow import parquet

from excel_files import workbook, zipped
from tables import ReadSettings, TableError, columnar, encoding, read_table, source

ROWS = [{"text": "a, b", "label": "yes"}, {"text": "größer", "label": "no"}, {"text": "c\nd", "label": "yes"}]
CSV = 'text,label\n"a, b",yes\ngrößer,no\n"c\nd",yes\n'.encode()


def as_parquet(frame: pandas.DataFrame) -> bytes:
    """A Parquet file."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


SHEET: list[list[object]] = [["text", "label"], *([row["text"], row["label"]] for row in ROWS)]
PACKED: dict[str, bytes] = {
    "gzip": gzip.compress(CSV),
    "bzip2": bz2.compress(CSV),
    "xz": lzma.compress(CSV),
    "zstandard": zstandard.compress(CSV),
    "zip": zipped(
        {"folder/": b"", "folder/data.csv": CSV, "__MACOSX/folder/._data.csv": b"x", "folder/.DS_Store": b"x"}
    ),
    "gzip, two members": gzip.compress(CSV[:20]) + gzip.compress(CSV[20:]),
    "gzip of JSON Lines": gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS).encode()),
    "gzip of cp1252": gzip.compress(CSV.decode().encode("cp1252")),
    "parquet": as_parquet(pandas.DataFrame(ROWS)),
    "parquet with an index": as_parquet(pandas.DataFrame(ROWS).set_index("label").reset_index()),
    "parquet in gzip": gzip.compress(as_parquet(pandas.DataFrame(ROWS))),
    "parquet with categories": as_parquet(pandas.DataFrame(ROWS).astype({"label": "category"})),
    "excel": workbook({"Sheet1": SHEET}),
    "excel, an empty sheet first": workbook({"Cover": [], "Data": SHEET}),
    "zip with a note": zipped({"readme.txt": b"by me", "LICENSE": b"free", "SMSCollection": CSV}),
    "zip with a telling name": zipped({"licence plates.csv": CSV, "License-CC.txt": b"free", "README.md": b"by me"}),
    "excel, empty lines and columns": workbook({"Data": [[None], [], *([None, *row] for row in SHEET)]}),
    "excel in a zip file": zipped({"data.xlsx": workbook({"Sheet1": SHEET})}),
}


@pytest.mark.parametrize("kind", PACKED)
def test_rows_are_the_same_however_they_are_packed(kind: str, tmp_path: Path) -> None:
    """The name says nothing."""
    (tmp_path / "data.txt").write_bytes(PACKED[kind])
    table = read_table(tmp_path / "data.txt")
    assert [dict(sorted((row.values or {}).items())) for row in table.rows if row.values] == [
        dict(sorted(row.items())) for row in ROWS
    ]
    assert table.how.sentence()
    assert table.notes == []


def test_label_numbers_with_names_in_the_file_are_names(tmp_path: Path) -> None:
    """As Hugging Face's data sets are kept: one label, or several, as numbers, with the names beside them."""
    label = {"names": ["no", "yes"], "_type": "ClassLabel"}
    features = {
        "label": label,
        "all": {"feature": label, "_type": "Sequence"},
        "text": {"dtype": "string", "_type": "Value"},
    }
    table = pyarrow.table({"label": [0, 1, None], "all": [[0, 1], [], [1]], "text": ["a", "b", "c"]})
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    parquet.write_table(table.replace_schema_metadata(metadata), tmp_path / "data.parquet")
    found = read_table(tmp_path / "data.parquet")
    assert [row.values for row in found.rows] == [
        {"label": "no", "all": ["no", "yes"], "text": "a"},
        {"label": "yes", "all": [], "text": "b"},
        {"label": None, "all": ["yes"], "text": "c"},
    ]
    assert len(found.notes) == 2


def test_nested_parquet_has_names_with_dots(tmp_path: Path) -> None:
    """As in JSON."""
    parquet.write_table(pyarrow.table({"input": [{"text": "a"}], "n": [1]}), tmp_path / "data")
    table = read_table(tmp_path / "data")
    assert (table.columns, table.rows[0].values) == (("input.text", "n"), {"input.text": "a", "n": 1})


def test_nested_parquet_with_a_name_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    """A column called a.b beside a column a that holds a b."""
    parquet.write_table(pyarrow.table({"a.b": ["x"], "a": [{"b": "y"}]}), tmp_path / "data")
    with pytest.raises(TableError, match=r"'a\.b' twice") as caught:
        read_table(tmp_path / "data")
    assert caught.value.hint


def test_sheets_are_chosen_and_said(tmp_path: Path) -> None:
    """The first one with rows, or the one that was named; whole numbers are whole."""
    other: list[list[object]] = [["text", "stars"], ["fine", 5], ["so so", 2.5]]
    (tmp_path / "data").write_bytes(workbook({"Train": SHEET, "Test": other}))
    table = read_table(tmp_path / "data")
    assert (table.how.sheet, table.notes) == ("Train", ["Sheet 'Train' was read; the others are Test."])
    table = read_table(tmp_path / "data", ReadSettings(sheet="Test"))
    assert [row.values for row in table.rows] == [{"text": "fine", "stars": 5}, {"text": "so so", "stars": 2.5}]
    assert [row.line for row in table.rows] == [2, 3]
    with pytest.raises(TableError, match="no sheet 'X'"):
        read_table(tmp_path / "data", ReadSettings(sheet="X"))


def test_excel_without_a_header(tmp_path: Path) -> None:
    """Names are made and said."""
    (tmp_path / "data").write_bytes(workbook({"S": [["ok I like it", 1], ["no I do not", 0], ["so so for me", 1]]}))
    table = read_table(tmp_path / "data")
    assert table.rows[0].values == {"column_1": "ok I like it", "column_2": 1}
    assert table.notes == ["The first line is data, not a header; the columns are called column_1, column_2."]


def test_a_title_above_the_header_of_a_sheet(tmp_path: Path) -> None:
    """Is skipped and said, also with a blank row below it; a first row without a label is none."""
    rows: list[list[object]] = [["good one", "yes"], ["bad one", "no"], ["so so", "no"]]
    for above, names in (
        ([["Survey results 2024", None]], ["text", "label"]),
        ([["Kunden Export", None], [None, None]], ["Aussage", "Urteil"]),
    ):
        (tmp_path / "data").write_bytes(workbook({"S": [*above, names, *rows]}))
        table = read_table(tmp_path / "data")
        assert list(table.columns) == names
        assert [list((row.values or {}).values()) for row in table.rows] == rows
        assert table.notes == [f"Rows before the header were skipped: {len(above)}."]
        assert table.rows[0].line == len(above) + 2
    (tmp_path / "data").write_bytes(workbook({"S": [["A text.", None], *rows, *rows]}))
    assert len(read_table(tmp_path / "data").rows) == 7


def cut(content: bytes) -> bytes:
    """The first half of a file, as after a download that broke."""
    return content[: len(content) // 2]


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    **{
        f"half of {kind}": (lambda kind=kind: cut(PACKED[kind]), "damaged")
        for kind in ("gzip", "bzip2", "xz", "zip", "parquet", "excel")
    },
    "two files": (lambda: zipped({"train.csv": CSV, "test.csv": CSV}), "holds 2 files"),
    "a zip file without files": (lambda: zipped({"folder/": b""}), "holds 0 files"),
    "packed twice": (lambda: gzip.compress(gzip.compress(CSV)), "is a binary file"),
    "an empty workbook": (lambda: workbook({"S": []}), "has no rows"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_unpacked_is_refused(kind: str, tmp_path: Path) -> None:
    """With the cause and the next step."""
    make, words = REFUSED[kind]
    (tmp_path / "data.csv").write_bytes(make())
    with pytest.raises(TableError) as caught:
        read_table(tmp_path / "data.csv")
    assert words in caught.value.message
    assert caught.value.hint


def test_a_name_that_occurs_twice_is_refused_in_every_format(tmp_path: Path) -> None:
    """Here Excel."""
    (tmp_path / "data").write_bytes(workbook({"S": [["text", "text"], ["a", "b"]]}))
    with pytest.raises(TableError, match="'text' twice"):
        read_table(tmp_path / "data")


def test_a_cover_sheet_of_one_column_is_passed_over(tmp_path: Path) -> None:
    """And named."""
    (tmp_path / "data").write_bytes(workbook({"Cover": [["Survey"], ["by us"]], "Data": SHEET}))
    table = read_table(tmp_path / "data")
    assert (table.how.sheet, table.notes) == ("Data", ["Sheet 'Data' was read; the others are Cover."])


BOMBS = {
    "parquet": as_parquet(pandas.DataFrame({"text": ["x" * 1000] * 3000, "label": "yes"}).astype("category")),
    "parquet without categories": as_parquet(pandas.DataFrame({"text": ["x" * 1000] * 3000, "label": "yes"})),
    "excel": zipped({"xl/workbook.xml": b" " * 3_000_000}),
    "excel in gzip": gzip.compress(zipped({"xl/workbook.xml": b" " * 3_000_000})),
    "csv in gzip": gzip.compress(b"text,label\n" + b"x,yes\n" * 500_000),
    "json in zip": zipped({"data.json": b'[{"text": "x"}' + b" " * 3_000_000 + b"]"}),
    "parquet's mark, and nothing": gzip.compress(b"PAR1" + bytes(3_000_000)),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_small_file_that_unpacks_to_very_much_is_refused(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever unpacks it stops at the limit, which is lowered here."""
    for module in (source, columnar):
        monkeypatch.setattr(module, "MOST_WHOLE", 2_000_000)
    monkeypatch.setattr(encoding, "MOST_BYTES", 2_000_000)
    assert len(BOMBS[kind]) < 100_000
    (tmp_path / "data").write_bytes(BOMBS[kind])
    with pytest.raises(TableError, match="has more than 2000000 bytes") as caught:
        read_table(tmp_path / "data")
    assert caught.value.hint
