"""A data file of any text format: read or refused, and no row lost without a word."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from itertools import dropwhile
from pathlib import Path

from classifier.data.dataset import DataSettings, LabelledData, load_data
from classifier.errors import ClassifierError
from fuzzing.run import ROOT, Target
from tables import Table, TableError, open_table, read_table
from tables.encoding import find_text
from tables.source import find_source

ROWS = [(f"the text number {n}, with words; and “quotes”", ("good", "bad", "so so")[n % 3]) for n in range(12)]
LINES = [{"text": text, "label": label, "score": n / 2} for n, (text, label) in enumerate(ROWS)]
FIELD = ROOT.parent / "shared" / "field"


def separated(delimiter: str, quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    """The rows with these delimiters."""
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator="\n").writerows([("text", "label"), *ROWS])  # type: ignore[arg-type]
    return file.getvalue().encode()


COMMA = separated(",")
WRITTEN = [
    COMMA,
    separated(";", csv.QUOTE_ALL),
    separated("\t"),
    COMMA.replace(b"\n", b"\r\n"),
    COMMA.replace(b"\n", b"\r"),
    b"sep=;\n" + separated(";"),
    b"# a comment\n\n" + COMMA,
    COMMA.split(b"\n", 1)[1],
    *(COMMA.decode().encode(name) for name in ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252")),
    "".join(json.dumps(line) + "\n" for line in LINES).encode(),
    json.dumps(LINES, indent=1).encode(),
    json.dumps({"data": LINES}).encode(),
    json.dumps({"columns": ["text", "label"], "data": ROWS}).encode(),
    json.dumps({name: {str(n): row[name] for n, row in enumerate(LINES)} for name in ("text", "label")}).encode(),
    json.dumps({name: [row[name] for row in LINES] for name in ("text", "label")}).encode(),
    "".join(f"__label__{label.replace(' ', '_')} {text}\n" for text, label in ROWS).encode(),
    "text,label\nпривет мир,да\nхорошая погода,нет\n".encode("cp1251") * 4,
]


def as_people_have_them(largest: int = 6_000) -> list[bytes]:
    """The smaller files of ../shared/field; none where they do not lie beside the project."""
    paths = sorted(path for path in FIELD.rglob("*") if path.is_file()) if FIELD.is_dir() else []
    return [path.read_bytes() for path in paths if path.suffix not in (".md", ".py") and path.stat().st_size < largest]


class Fuzzed(Target):
    """Reads a file as a table, then as a data set."""

    def __init__(self) -> None:
        super().__init__([*WRITTEN, *as_people_have_them()])

    def check(self, data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "data.csv"
            path.write_bytes(data)
            table = self.table(path)
            loaded = self.loaded(path, Path(folder) / "aside")
            if table and loaded:
                aside = sum(sum(kinds.values()) for kinds in loaded.set_aside.values())
                used = sum(map(len, loaded.splits.values()))
                assert used + aside == len(table.rows), f"{used} rows used, {aside} aside, of {len(table.rows)}"
                self.written_again(loaded, Path(folder) / "again")

    def table(self, path: Path) -> Table | None:
        """Read it; every line of a text file belongs to a row, or stands before the first one."""
        try:
            table = read_table(path)
        except TableError as error:
            assert error.message and error.hint
            return None
        assert table.how.sentence()
        if table.how.format in ("csv", "text", "fastText", "jsonl"):
            text = find_text(find_source(path), table.how.encoding)
            # Blank lines may stand before the header, which is no row.
            rows = list(dropwhile(lambda row: row.values is None and not row.problem, table.rows))
            expected = rows[0].line if rows else 0
            for row in rows:
                assert row.line == expected, f"row {row.line}, {expected} expected"
                expected += row.raw.count(text.newline) + 1
            streamed = open_table(path)
            assert list(streamed.rows) == list(streamed.rows) == table.rows
        return table

    def loaded(self, path: Path, aside: Path) -> LabelledData | None:
        """Read it as training does."""
        try:
            loaded = load_data(path, None, DataSettings(test_fraction=0.2), quarantine=aside)
        except ClassifierError as error:
            assert error.message
            return None
        assert loaded.summary()
        listed = [line for file in aside.glob("*.jsonl") for line in file.read_text("utf-8").split("\n") if line]
        assert len(listed) == sum(sum(kinds.values()) for kinds in loaded.set_aside.values())
        return loaded

    def written_again(self, loaded: LabelledData, folder: Path) -> None:
        """The canonical files are the same data set."""
        loaded.write(folder)
        again = load_data(folder, None)
        assert again.data_sha256 == loaded.data_sha256
        assert [row.text for row in again.splits["train"]] == [row.text for row in loaded.splits["train"]]
