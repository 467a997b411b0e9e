"""Find out how a table separates and quotes its fields.

The same lines are read under several hypotheses and the texts are compared, because row counts alone mislead: texts that
begin with a quote can be read as quoted fields, with as many rows and other texts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .names import clean_name
from .records import Dialect, Record, records
from .table import AUTO, DELIMITERS, QUOTES, ReadSettings

_SEARCHED = (*DELIMITERS.values(), "\x01")
_FIRST_LINES = 2000
_SURE = 0.9
_RAGGED = 0.45  # share of rows with as many fields as the header that is enough under a header of names
_LONGEST_NAME = 64
_ROWS_FOR_ONE_BROKEN = 5


def find_dialect(lines: Sequence[str], settings: ReadSettings, wanted: Iterable[str]) -> tuple[Dialect, list[str]]:
    """Return the dialect of these lines, and what a person should know about it."""
    quotes = list(QUOTES) if settings.quote == AUTO else [settings.quote]
    delimiter = settings.separator if settings.delimiter != AUTO else _delimiter(lines[:_FIRST_LINES], quotes, wanted)
    if settings.quote != AUTO:
        dialect = Dialect(delimiter or ("," if settings.quote != "none" else ""), settings.quote)
        return (_variant(lines, dialect)[0] if settings.quote != "none" else dialect), []
    return _quote(lines, delimiter)


def usual_size(rows: Iterable[Record]) -> int:
    """Return the number of fields that most rows have."""
    counts = Counter(len(row.fields) for row in rows if any(row.fields))
    return counts.most_common(1)[0][0] if counts else 1


def looks_like_name(field: str) -> bool:
    """Tell whether a field could be a column's name: short, no number and no sentence."""
    name = clean_name(field)
    return len(name) <= _LONGEST_NAME and not is_number(name) and not re.search(r"[.!](\s|$)|\w{3}, ", name)


def is_number(field: str) -> bool:
    """Tell whether a field is a number, also with a decimal comma."""
    return re.fullmatch(r"[-+]?\d+([.,]\d+)*([eE][-+]?\d+)?\s*%?", field.strip()) is not None


def _delimiter(lines: Sequence[str], quotes: Sequence[str], wanted: Iterable[str]) -> str:
    """Return the delimiter under which the rows agree best; empty if none does."""
    names = {clean_name(name) for name in wanted}
    best, choice = (False, 0.0, 0), ""
    for delimiter in _SEARCHED:
        if not any(delimiter in line for line in lines):
            continue
        for quote in quotes:
            rows = [row for row in records(lines, Dialect(delimiter, quote)) if row.problem or any(row.fields)]
            if not rows:
                continue
            size = usual_size(rows)
            fitting = [row.fields for row in rows if len(row.fields) == size]
            share, header = len(fitting) / len(rows), fitting[0]
            found = bool(names) and names <= set(map(clean_name, header))
            named = any(header) and all(map(looks_like_name, header))
            if size > 1 and (found or share >= (_RAGGED if named else _SURE)):
                best, choice = max((best, choice), ((found, round(share, 2), size), delimiter), key=lambda pair: pair[0])
    return choice


@dataclass
class _Evidence:
    """What speaks for and against a quote character."""

    needed: int = 0
    """Rows that have the right number of fields only with quotes, or double the quotes within."""
    harmed: int = 0
    """Rows that the quotes break."""
    stripped: int = 0
    """Rows that lose quotes around a field and would be the same without."""
    rows: int = 0

    def supports(self, dialect: Dialect) -> bool:
        """Decide for or against the quotes."""
        usual = self.needed + self.stripped > self.rows / 2  # as by programs that quote every text
        if self.harmed:
            return self.needed + self.stripped * usual > _ROWS_FOR_ONE_BROKEN * self.harmed
        # Programs that write commas and quote at all never write a text with quotes around it as it is; with tabs they do.
        usual |= dialect.delimiter != "\t" and dialect.quote == "double" and self.stripped > 0
        return self.needed > 0 or usual


def _quote(lines: Sequence[str], delimiter: str) -> tuple[Dialect, list[str]]:
    tried = [
        (dialect, evidence)
        for quote in ("double", "single")
        for dialect, evidence in [_variant(lines, Dialect(delimiter or ",", quote))]
        if evidence.supports(dialect)
    ]
    if not tried:
        return Dialect(delimiter), []
    dialect, evidence = max(tried, key=lambda pair: pair[1].needed + pair[1].stripped - pair[1].harmed)
    if evidence.needed == 0 and evidence.stripped <= evidence.rows / 2:
        note = f"{evidence.stripped} rows have quotes around a field that needs none; quote=none keeps them as text."
        return dialect, [note]
    return dialect, []


def _variant(lines: Sequence[str], dialect: Dialect) -> tuple[Dialect, _Evidence]:
    """Return the way of quoting that breaks the fewest rows, and its evidence."""
    character = QUOTES[dialect.quote]
    best, evidence = dialect, _evidence(lines, dialect)
    for other, sign in (
        (replace(dialect, backslash=True), "\\" + character),
        (replace(dialect, blanks=True), f"{dialect.delimiter} {character}"),
    ):
        if evidence.harmed and any(sign in line for line in lines):
            found = _evidence(lines, other)
            if found.harmed < evidence.harmed:
                best, evidence = other, found
    return best, evidence


def _evidence(lines: Sequence[str], dialect: Dialect) -> _Evidence:
    evidence, character = _Evidence(), QUOTES[dialect.quote]
    if not any(character in line for line in lines):
        return evidence
    rows = list(records(lines, dialect))
    size = usual_size(rows)
    for row in rows:
        if not row.problem and not any(row.fields):
            continue
        evidence.rows += 1
        if row.problem:
            evidence.harmed += 1
        elif any(character in line for line in row.lines):
            _compare(row, size, dialect, evidence)
    return evidence


def _compare(row: Record, size: int, dialect: Dialect, evidence: _Evidence) -> None:
    """Compare a row with what its lines are without quotes."""
    character = QUOTES[dialect.quote]
    plain = [line.rstrip("\r\n").split(dialect.delimiter) for line in row.lines]
    alone = all(len(fields) == size for fields in plain)
    if len(row.fields) != size:
        evidence.harmed += alone
    elif len(plain) > 1:
        if alone and size > 1:
            evidence.harmed += len(plain)  # each line is a row of its own
        else:
            evidence.needed += 1
    elif not alone:
        evidence.needed += 1
    elif changed := [field.strip()[1:-1] for field, read in zip(plain[0], row.fields, strict=True) if field != read]:
        doubled = any(character in field for field in changed)
        evidence.needed += doubled
        evidence.stripped += not doubled
