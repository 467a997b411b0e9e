"""A packed data file, Parquet or Excel: unpacked or refused, within bounds."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma

import pandas
import pyarrow
import zstandard
from pyarrow import parquet

from excel_files import workbook, zipped
from fuzzing import data_files
from fuzzing.data_files import COMMA, LINES, ROWS, as_people_have_them


def as_parquet(table: pyarrow.Table) -> bytes:
    """A Parquet file."""
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    return buffer.getvalue()


CLASSES = {"label": {"names": ["bad", "good"], "_type": "ClassLabel"}}
NUMBERED = pyarrow.table({"text": [row[0] for row in ROWS], "label": [n % 2 for n in range(len(ROWS))]})
MOMENTS = pandas.DataFrame(LINES).assign(when=pandas.Timestamp("2026-01-01"), day=pandas.Timedelta("1D"))


class Fuzzed(data_files.Fuzzed):
    """As a plain file, after unpacking."""

    def __init__(self) -> None:
        super().__init__()
        self.seeds = [
            *(gzip.compress(COMMA), bz2.compress(COMMA), lzma.compress(COMMA), zstandard.compress(COMMA)),
            zipped({"data.csv": COMMA, "readme.txt": b"by me"}),
            gzip.compress(zipped({"data.csv": COMMA})),
            gzip.compress(json.dumps(LINES).encode()),
            as_parquet(pyarrow.Table.from_pandas(pandas.DataFrame(LINES))),
            as_parquet(pyarrow.Table.from_pandas(MOMENTS)),
            as_parquet(NUMBERED.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": CLASSES}})})),
            as_parquet(pyarrow.table({"input": [{"text": "a"}] * 3, "label": [["a"], ["b"], None]})),
            *[workbook({"Sheet1": [["text", "label"], *map(list, ROWS)], "Cover": [["by me"]]})] * 3,
            *(
                data
                for data in as_people_have_them()
                if data[:2] in (b"\x1f\x8b", b"PK", b"BZ", b"PA", b"\xfd7", b"(\xb5")
            ),
        ]
