"""Read Parquet and Excel, whose libraries are loaded only for such a file."""

import datetime
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .dialect import FIRST_LINES
from .header import has_header, titles
from .json_rows import flat
from .names import column_names, numbered_name
from .source import MOST_WHOLE, Source
from .table import AUTO, Again, HowRead, ReadSettings, TableError, TableRow, TableStream

_MISSING = {"parquet": "pyarrow", "excel": "python-calamine"}


def open_columnar(source: Source, kind: str, settings: ReadSettings, wanted: Sequence[str]) -> TableStream:
    """Read a Parquet or an Excel file; raise TableError where it is damaged, or its library is not installed here."""
    content = source.whole()
    try:
        if kind == "parquet":
            return _parquet(content, source)
        return _excel(content, source, settings, wanted)
    except ImportError as error:
        raise TableError(
            f"{source.path.name} is {kind.capitalize()}, which cannot be read here.",
            hint=f"pip install {_MISSING[kind]}, or save it as CSV in UTF-8.",
        ) from error


def _parquet(content: io.BytesIO, source: Source) -> TableStream:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(content)
        names = table.schema_arrow.names
    except (pyarrow.ArrowException, OSError, UnicodeError) as error:
        raise _unreadable(source, "Parquet") from error
    decode = _class_names(table.schema_arrow.metadata or {}, names)
    names = column_names(names, source.path.name)
    notes = [f"The numbers in {name!r} are given as the names that the file has for them." for name in decode]

    found, size = list[TableRow](), 0
    try:
        read = (row for batch in table.iter_batches(100) for row in batch.to_pylist())
        for number, values in enumerate(read, start=1):
            size += len(str(values))  # what Arrow counts is less where values repeat
            source.check_size(size, MOST_WHOLE)
            values |= {name: to_name(values[name]) for name, to_name in decode.items()}
            found.append(TableRow(number, _flat(dict(zip(names, values.values(), strict=True)), source)))
    # Damaged pages, bytes that are no text, dates out of range.
    except (pyarrow.ArrowException, OSError, UnicodeError, OverflowError) as error:
        raise _unreadable(source, "Parquet") from error
    columns = tuple(dict.fromkeys(name for row in found for name in row.values or {})) or tuple(names)
    return TableStream(columns, found, HowRead("parquet", source.compression), notes)


def _flat(values: dict[str, Any], source: Source) -> dict[str, object]:
    try:
        return flat(values)
    except ValueError as error:
        raise TableError(
            f"{source.path.name} has {error}, as a column and within another one.",
            hint="Rename or remove one of the two.",
        ) from error


def _class_names(metadata: dict[bytes, bytes], columns: Sequence[str]) -> dict[str, Callable[[Any], Any]]:
    """Return what turns label numbers into names, by column: Hugging Face's data sets keep both."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        kinds = {name: feature.get("feature", feature) for name, feature in features.items() if name in columns}
        return {
            name: _namer(list.copy(kind["names"])) for name, kind in kinds.items() if kind.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _namer(names: list[str]) -> Callable[[Any], Any]:
    def name(value: Any) -> Any:
        if isinstance(value, list):
            return [name(inner) for inner in value]
        return names[value] if isinstance(value, int) and 0 <= value < len(names) else value

    return name


def _excel(content: io.BytesIO, source: Source, settings: ReadSettings, wanted: Sequence[str]) -> TableStream:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        if zipfile.is_zipfile(content):
            source.check_size(sum(part.file_size for part in zipfile.ZipFile(content).infolist()), MOST_WHOLE)
            content.seek(0)
        book = CalamineWorkbook.from_filelike(content)
        sheets = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    except (CalamineError, OSError, zipfile.BadZipFile, UnicodeError) as error:
        raise _unreadable(source, "Excel") from error
    filled = {name: rows for name, rows in sheets.items() if any(any(cell != "" for cell in row) for row in rows)}
    if not filled:
        raise TableError(f"{source.path.name} has no rows.", hint="Check that it is the right file.")
    if settings.sheet and settings.sheet not in filled:
        raise TableError(
            f"{source.path.name} has no sheet {settings.sheet!r} with rows.", hint=f"Its sheets: {', '.join(filled)}."
        )
    wide = [name for name, rows in filled.items() if any(sum(cell != "" for cell in row) > 1 for row in rows)]
    sheet = settings.sheet or next(iter(wide or filled))  # a cover has one column
    notes = [f"Sheet {sheet!r} was read; the others are {', '.join(sorted(filled.keys() - {sheet}))}."]
    return _sheet(filled[sheet], sheet, source, settings, wanted, notes * (len(filled) > 1 and not settings.sheet))


def _sheet(
    cells: list[list[Any]], sheet: str, source: Source, settings: ReadSettings, wanted: Sequence[str], notes: list[str]
) -> TableStream:
    numbered = [(number, [_cell(cell) for cell in row]) for number, row in enumerate(cells, start=1)]
    above = 0 if settings.header == "no" else titles([_strings(row) for _, row in numbered[:FIRST_LINES]], wanted)
    if above:
        notes.append(f"Rows before the header were skipped: {above}.")
    numbered = numbered[above:]
    filled = [row for _, row in numbered if any(cell not in ("", None) for cell in row)]
    used = [column for column in range(len(filled[0])) if any(row[column] not in ("", None) for row in filled)]
    first = [_strings([row[column] for column in used]) for row in filled[:FIRST_LINES]]
    header = settings.header == "yes" or (settings.header == AUTO and has_header(first, wanted))
    names = column_names(first[0], source.path.name) if header else [numbered_name(column) for column in used]
    if not header and settings.header == AUTO:
        notes.append(f"The first line is data, not a header; the columns are called {', '.join(names)}.")

    def rows(skip: bool) -> Iterator[TableRow]:
        for number, row in numbered:
            values = [row[column] for column in used]
            if all(value in ("", None) for value in values):
                yield TableRow(number, None)
            elif skip:
                skip = False
            else:
                yield TableRow(number, dict(zip(names, values, strict=True)))

    how = HowRead("excel", source.compression, header=header, sheet=sheet)
    return TableStream(tuple(names), Again(lambda: rows(header)), how, notes)


def _strings(row: Sequence[Any]) -> list[str]:
    return ["" if value is None else str(value) for value in row]


def _cell(value: Any) -> Any:
    """Return a cell's value as people read it: Excel keeps whole numbers as floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
        return str(value)
    return value


def _unreadable(source: Source, kind: str) -> TableError:
    return TableError(
        f"{source.path.name} is damaged, or no {kind} file.", hint="Copy it again, or save it as CSV in UTF-8."
    )
