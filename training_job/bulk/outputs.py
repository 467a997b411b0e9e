"""Write rows with their answers in the format of their file: CSV, JSON Lines or Parquet."""

import csv
import json
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from bulk.rows import InputFile, Row
from tables import safe_cell
from tables.source import find_source

Scored = Iterable[tuple[Row, Mapping[str, Any]]]
"""Rows, each with the columns that its answer adds."""
_ENDINGS = {"parquet": ".parquet", "jsonl": ".jsonl", "json": ".jsonl"}


def write(file: InputFile, result: Path, rows: Scored) -> str:
    """Write the scored rows of a file; Excel and other tables become CSV, a JSON document JSON Lines.

    Returns the output's name below `result`: the file's own, with the format's ending if it has another one.
    """
    ending = _ENDINGS.get(file.stream.how.format, ".csv")
    name = file.name if file.name.endswith(ending) else f"{file.name}{ending}"
    path = result / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if ending == ".parquet":
        _write_parquet(file, path, rows)
        return name
    # Half of a surrogate pair is written as the escape that it was read from.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as out:
        if ending == ".jsonl":
            lines = (json.dumps({**row.values, **answer}, ensure_ascii=False, default=str) for row, answer in rows)
            out.writelines(f"{line}\n" for line in lines)
        elif first := next(rows := iter(rows), None):
            names = [*file.stream.columns, *first[1]]
            table = csv.DictWriter(out, names, delimiter=file.stream.how.delimiter or ",")
            table.writerow({name: safe_cell(name) for name in names})
            for row, answer in chain([first], rows):
                table.writerow({name: _cell(value) for name, value in {**row.values, **answer}.items()})
    return name


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return safe_cell("|".join(value) if isinstance(value, list) else value)  # labels, as the client writes them


def _write_parquet(file: InputFile, path: Path, rows: Scored) -> None:
    """Take the rows from the file itself, so that they keep their types."""
    import pyarrow
    from pyarrow import parquet

    scored = list(rows)
    places = [row.line - 1 for row, _ in scored]
    table = parquet.read_table(find_source(file.path).whole()).take(pyarrow.array(places, pyarrow.int64()))
    text = pyarrow.string()
    kinds = {str: text, list: pyarrow.list_(text), bool: pyarrow.bool_()}
    for name, value in scored[0][1].items() if scored else ():
        kind = kinds.get(type(value), pyarrow.float64())  # a score that the model does not have is null
        table = table.append_column(name, pyarrow.array([answer[name] for _, answer in scored], kind))
    parquet.write_table(table, path)
