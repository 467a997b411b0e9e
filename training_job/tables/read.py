"""Read a file of any format that is known: what it is, is found in its content."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from .columnar import open_columnar
from .encoding import Text, find_text
from .json_rows import is_json, json_columns, open_json, read_lines
from .separated import open_fasttext, open_separated, open_text
from .source import Pipe, find_source
from .table import AUTO, ReadSettings, Table, TableError, TableStream


def read_table(path: Path, settings: ReadSettings | None = None, *, wanted: Sequence[str] = ()) -> Table:
    """Read a file, packed or not, into memory; its ending says nothing.

    `wanted` are names of columns that the caller was told of. They decide between delimiters, and for a header. Raises
    TableError: the file cannot be opened, is no table, or is none as the settings say.
    """
    stream = open_table(path, settings, wanted=wanted)
    rows = list(stream.rows)
    columns = json_columns(rows) if stream.how.format in ("jsonl", "json") else stream.columns
    return Table(columns, rows, stream.how, stream.notes)


def open_table(path: Path, settings: ReadSettings | None = None, *, wanted: Sequence[str] = ()) -> TableStream:
    """Find out how a file is to be read; its rows are read while they are consumed.

    Tables, JSON Lines and plain text need memory only for their first part, whatever their size. JSON documents,
    Parquet and Excel are read whole. The file is opened more than once, so it cannot be a pipe. Raises TableError as
    `read_table` does; also while the rows are consumed.
    """
    settings = settings or ReadSettings()
    if settings.format == "tsv":
        settings = replace(settings, format="csv", delimiter="tab")
    source = find_source(path)
    kind = source.kind() if settings.format == AUTO else settings.format
    if kind in ("parquet", "excel"):
        return open_columnar(source, kind, settings, wanted)
    text = find_text(source, settings.encoding)
    if settings.format == "text":
        stream = open_text(text)
    elif settings.format in ("jsonl", "json") or (settings.format == AUTO and is_json(text)):
        stream = open_json(text, settings)
    else:
        found = open_fasttext(text) if settings.format == AUTO else None
        stream = found or open_separated(text, settings, wanted)
    stream.notes.extend(text.notes)
    return stream


def open_pipe(stream: BinaryIO, name: str, settings: ReadSettings) -> TableStream:
    """Read a stream of JSON Lines, or of one text a line, as it comes; its columns are not known beforehand.

    Nothing can be found out about a stream that comes piece by piece: it is UTF-8 unless the settings say otherwise.
    Raises TableError: the settings name another format; while the rows are consumed: as in `open_table`.
    """
    text = Text(Pipe(Path(name), stream=stream), "utf-8" if settings.encoding == AUTO else settings.encoding)
    if settings.format == "jsonl":
        return TableStream((), read_lines(text), text.how("jsonl"))
    if settings.format == "text":
        return open_text(text)
    raise TableError(f"{name} cannot be read as {settings.format} piece by piece.", hint="Give jsonl or text.")
