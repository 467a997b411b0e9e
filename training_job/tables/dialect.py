"""Find out how a table separates and quotes its fields.

The same lines are read under several hypotheses and the texts are compared, because row counts alone mislead: texts
that begin with a quote can be read as quoted fields, with as many rows and other texts.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from .names import clean_name
from .records import Dialect, Record, records
from .table import AUTO, DELIMITERS, QUOTES, ReadSettings

_SEARCHED = (*DELIMITERS.values(), "^", "~", "\x01")  # of two that fit alike, the latter: texts have it less often
FIRST_LINES = 1000
_SURE = 0.9
_RAGGED = 0.45  # share of rows with as many fields as the header that is enough under a header of names
_LONGEST_NAME = 64
_ROWS_FOR_ONE_BROKEN = 5


Lines = Callable[[], Iterable[str]]
"""Gives the lines of a file, with their ends, as often as it is called."""


def find_dialect(lines: Lines, settings: ReadSettings, wanted: Iterable[str]) -> tuple[Dialect, list[str]]:
    """Return the dialect of these lines, and what a person should know about it."""
    first = list(islice(lines(), FIRST_LINES))
    quotes = list(QUOTES) if settings.quote == AUTO else [settings.quote]
    delimiter = settings.separator if settings.delimiter != AUTO else _delimiter(first, quotes, wanted)
    if settings.quote == AUTO:
        dialect, notes = _quote(lines, delimiter)
    elif settings.quote == "none":
        dialect, notes = Dialect(delimiter), []
    else:
        dialect, notes = _variant(lines, Dialect(delimiter or ",", settings.quote))[0], []
    later = [field for row in records(first, dialect) for field in row.fields[1:] if field]
    if later and all(field.startswith(" ") for field in later):
        dialect = replace(dialect, blanks=True)
    return dialect, notes


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
    # The columns asked for, the share of rows that agree, whether the first two rows have columns, and their number.
    best, choice = (False, 0.0, False, 0), ""
    for delimiter in _SEARCHED:
        if not any(delimiter in line for line in lines):
            continue
        for quote in quotes:
            rows = [row for row in records(lines, Dialect(delimiter, quote)) if row.problem or any(row.fields)]
            if not rows:
                continue
            size = usual_size(rows)
            fitting = [row.fields for row in rows if not row.problem and len(row.fields) == size]
            share, header = len(fitting) / len(rows), fitting[0] if fitting else []
            found = bool(names) and names <= set(map(clean_name, header))
            named = any(header) and all(map(looks_like_name, header))
            fit = (found, round(share, 2), all(len(row.fields) > 1 for row in rows[:2]), size)
            if size > 1 and fit >= best and (found or share >= (_RAGGED if named else _SURE)):
                best, choice = fit, delimiter
    return choice


@dataclass
class _Evidence:
    """What speaks for and against a quote character, counted in rows."""

    needed: int = 0
    """Rows that have the right number of fields only with quotes."""
    doubled: int = 0
    """Other rows with quotes around a field that hold the quote twice."""
    stripped: int = 0
    """Other rows that only lose quotes around a field."""
    harmed: int = 0
    """Rows that the quotes break."""
    torn: int = 0
    """Rows of several lines, each of which is a row without quotes, but with a text where labels stand."""
    bare: int = 0
    """Rows with the quote in a field that is not enclosed."""
    rows: int = 0

    @property
    def changed(self) -> int:
        """Rows whose texts would be others without quotes."""
        return self.needed + self.doubled + self.stripped

    def supports(self, dialect: Dialect, *, named: bool) -> bool:
        """Decide for or against the quotes: texts are not changed without need.

        Under a header of names, quotes that stand where a program writes them, and nowhere else, are that program's.
        """
        if named and self.doubled and not self.stripped + self.bare + self.harmed:
            return True
        usual = self.changed > self.rows / 2  # as by programs that quote every text
        if self.harmed:
            cost = self.harmed * (1 if dialect.has_to_quote else _ROWS_FOR_ONE_BROKEN)
            return self.needed + self.doubled + self.stripped * usual > cost
        return self.needed > 0 or usual or (dialect.has_to_quote and self.changed > 0)


def _quote(lines: Lines, delimiter: str) -> tuple[Dialect, list[str]]:
    tried = [_variant(lines, Dialect(delimiter or ",", quote)) for quote in ("double", "single")]
    first = next((line for line in lines() if line.strip()), "").rstrip("\r\n")
    named = '"' not in first and all(map(looks_like_name, first.split(delimiter or None)))
    dialect, evidence = max(
        (pair for pair in tried if pair[1].supports(pair[0], named=named)),
        key=lambda pair: pair[1].changed - pair[1].harmed,
        default=(Dialect(delimiter), _Evidence()),
    )
    if dialect.quote == "none":
        kept, doubled = tried[0][1].changed, tried[0][1].doubled
        note = f"Quotes that no row needs were kept as text (rows: {kept}); quote=double takes them off."
        if doubled:  # as pandas writes them with tabs, and as GoEmotions has them
            note = (
                f"Quotes around fields were kept as text (rows: {kept}); quote=double takes them off, and makes "
                f"single ones of those that are doubled within (rows: {doubled})."
            )
        return dialect, [note] * (kept > 0)
    needless = evidence.needed + evidence.doubled == 0 and evidence.changed <= evidence.rows / 2
    note = f"Quotes that no row needs were taken off (rows: {evidence.stripped}); quote=none keeps them as text."
    return dialect, [note] * needless


def _variant(lines: Lines, dialect: Dialect) -> tuple[Dialect, _Evidence]:
    """Return the way of quoting that breaks the fewest rows, and its evidence."""
    character = QUOTES[dialect.quote]
    best, evidence = dialect, _evidence(lines, dialect)
    for other, sign in (
        (replace(dialect, backslash=True), "\\" + character),
        (replace(dialect, blanks=True), f"{dialect.delimiter} {character}"),
    ):
        if evidence.harmed and any(sign in line for line in lines()):
            found = _evidence(lines, other)
            if found.harmed < evidence.harmed:
                best, evidence = other, found
    return best, evidence


def _evidence(lines: Lines, dialect: Dialect) -> _Evidence:
    evidence = _Evidence()
    opening = _opening(dialect)
    if not any(opening(line) for line in lines()):
        return evidence
    labels = _labels(list(islice(records(lines(), dialect), FIRST_LINES)))
    for row in records(lines(), dialect):
        if row.problem:
            evidence.harmed += 1
        elif opening(row.lines[0]):
            _compare(row, labels, dialect, evidence)
        else:
            evidence.bare += QUOTES[dialect.quote] in row.lines[0]
        evidence.rows += bool(row.problem) or any(row.fields)
    if evidence.stripped + evidence.bare + evidence.harmed:
        evidence.harmed += 2 * evidence.torn
    else:  # every quote stands where a program writes it
        evidence.needed += evidence.torn
    return evidence


def _labels(rows: Sequence[Record]) -> list[set[str]]:
    """Return the labels in each column, where a number is a label like others; no text."""
    size = usual_size(rows)
    whole = [row.fields for row in rows if len(row.fields) == size]
    columns = [{_label(fields[place]) for fields in whole} for place in range(size)]
    return [column if len(column) <= len(whole) / 2 else set() for column in columns]


def _label(field: str) -> str:
    return "0" if is_number(field) else field


def _opening(dialect: Dialect) -> Callable[[str], object]:
    """Return what tells whether a field of a line begins with a quote."""
    quote = QUOTES[dialect.quote]
    within = dialect.delimiter + " " * dialect.blanks + quote
    return lambda line: line.startswith(quote) or within in line


def _compare(row: Record, labels: Sequence[set[str]], dialect: Dialect, evidence: _Evidence) -> None:
    """Compare a row with what its lines are without quotes."""
    character, size = QUOTES[dialect.quote], len(labels)
    plain = [line.rstrip("\r\n").split(dialect.delimiter) for line in row.lines]
    alone = all(len(fields) == size for fields in plain)
    if len(row.fields) != size:
        evidence.harmed += alone
    elif len(plain) > 1:
        doubled = (field.replace(character, 2 * character) for field in row.fields)
        everywhere = dialect.delimiter.join(f"{character}{field}{character}" for field in doubled)
        if not alone or size == 1 or row.raw == everywhere:
            evidence.needed += 1
        elif dialect.has_to_quote:
            evidence.stripped += 1
        elif any(
            _label(field) in known and not known.issuperset(map(_label, lines))
            for field, known, *lines in zip(row.fields, labels, *plain, strict=True)
        ):
            evidence.torn += 1
        else:
            evidence.harmed += len(plain)  # each line is a row of its own
    elif not alone:
        evidence.needed += 1
    elif changed := [field.strip()[1:-1] for field, read in zip(plain[0], row.fields, strict=True) if field != read]:
        twice = any(character in field for field in changed)
        evidence.doubled += twice
        evidence.stripped += not twice
        evidence.bare += any(character in field for field in plain[0] if field in row.fields)
