"""What programs write is read as the same texts and labels, or refused; nothing is read as something else."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pandas
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.data.dataset import DataSettings, load_data
from classifier.errors import DataError
from excel_files import workbook

SPECIAL = st.sampled_from(
    ["=1+1", '"', '""', "'", ",", ";", "\t", "|", "\n", "\r\n", "  ", "é", "–", "\\", "#", "{", "[1]"]
)
WORD = st.sampled_from(["parcel", "came", "late", "It", "Größe", "naïve", "5", "the", "lamp."])
TEXT = st.lists(WORD | SPECIAL, min_size=1, max_size=12).map(" ".join)
ANY = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="\ufeff\ufffe"), max_size=20)
ROWS = st.lists(TEXT | st.tuples(WORD, ANY).map(" ".join), min_size=12, max_size=30)
USUAL = {*map(chr, range(128)), *"éößï–"}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1252"]


def frame_of(texts: list[str]) -> pandas.DataFrame:
    """The texts, each with its number, and a label in turn."""
    rows = [(f"{text} n{number}", ("yes", "no")[number % 2]) for number, text in enumerate(texts)]
    return pandas.DataFrame(rows, columns=["text", "label"])


def as_csv(frame: pandas.DataFrame, delimiter: str, quoting: int, end: str) -> str:
    """As Python's csv module writes it."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    writer.writerows([list(frame.columns), *frame.to_numpy().tolist()])
    return file.getvalue()


def misread(content: bytes, frame: pandas.DataFrame, name: str) -> list[Any]:
    """What was read and what was written where they differ, or a refusal without a hint; else nothing.

    Blanks around a text do not count, nor a second row of the same.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            data = load_data(path, None, DataSettings(test_fraction=0.0))
        except DataError as refusal:
            return [] if refusal.hint else [refusal]
    found = [(row.text, *row.labels) for row in data.splits["train"]]
    written = [(str(text).strip(), str(label)) for text, label in frame.to_numpy()]
    return [] if found == written else [found, written, data.summary()]


def separated(
    texts: list[str], delimiter: str, quoting: int, end: str, encoding: str, pandas_writes: bool
) -> list[Any]:
    """Write with the one or the other library, and read; return what was misread."""
    frame = frame_of(texts)
    if pandas_writes:
        content = frame.to_csv(index=False, sep=delimiter, quoting=quoting, lineterminator=end)  # type: ignore[call-overload]
    else:
        content = as_csv(frame, delimiter, quoting, end)
    if encoding == "cp1252" and not set(content) <= USUAL:
        return []  # an old code page is told by how its text reads, and random letters read as nothing
    return misread(content.encode(encoding), frame, "data.csv")


def documents(texts: list[str], form: str) -> list[Any]:
    """JSON, Parquet and Excel; return what was misread."""
    frame = frame_of(texts)
    if form == "parquet":
        buffer = io.BytesIO()
        frame.to_parquet(buffer)
        content = buffer.getvalue()
    elif form == "excel":
        content = workbook({"Sheet1": [list(frame.columns), *frame.to_numpy().tolist()]})
        frame = frame.replace("\r\n", "\n", regex=True)  # as XML has it
    elif form == "lines":
        content = "".join(json.dumps(row) + "\n" for row in frame.to_dict(orient="records")).encode()
    else:
        content = frame.to_json(orient=form).encode()
    return misread(content, frame, "data.bin")


CSV_FORMS = {
    "texts": ROWS,
    "delimiter": st.sampled_from(",;\t|"),
    "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    "end": st.sampled_from(["\n", "\r\n"]),
    "encoding": st.sampled_from(ENCODINGS),
    "pandas_writes": st.booleans(),
}
DOCUMENTS = {
    "texts": ROWS,
    "form": st.sampled_from(["parquet", "excel", "lines", "records", "columns", "index", "split"]),
}
SHORT = settings(max_examples=80, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=4_000, deadline=None, suppress_health_check=list(HealthCheck))


@SHORT
@given(**CSV_FORMS)
def test_what_csv_and_pandas_write_is_read_or_refused(**form) -> None:  # type: ignore[no-untyped-def]
    """Any delimiter, quoting, line end and encoding; no other text, and no refusal without a hint."""
    assert separated(**form) == []


@SHORT
@given(**DOCUMENTS)
def test_documents_are_read_or_refused(**form) -> None:  # type: ignore[no-untyped-def]
    """Any shape of JSON, Parquet, Excel."""
    assert documents(**form) == []


@pytest.mark.nightly(part="real-data")
@LONG
@given(**CSV_FORMS)
def test_what_csv_and_pandas_write_is_read_or_refused_many_times(**form) -> None:  # type: ignore[no-untyped-def]
    """The same, longer."""
    assert separated(**form) == []


@pytest.mark.nightly(part="real-data")
@LONG
@given(**DOCUMENTS)
def test_documents_are_read_or_refused_many_times(**form) -> None:  # type: ignore[no-untyped-def]
    """The same, longer."""
    assert documents(**form) == []
