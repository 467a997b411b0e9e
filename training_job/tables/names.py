"""Column names as people see them: without invisible characters, on one line."""

import re
import unicodedata
from collections.abc import Callable, Sequence

from .table import TableError

# Zero-width spaces and joiners, direction marks, soft hyphen, byte order mark.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")

LIKELY_COLUMNS = ("text", "sentence", "review", "comment", "content", "body", "message")
"""Columns searched for the text, in this order, when a file to score has several columns and none was named."""
SHOWN_COLUMNS = 20
_LONGEST_NAME, _MOST_WORDS = 60, 6


def clean_name(name: str) -> str:
    """Return a column's name without invisible characters and with single blanks; a line break becomes a blank."""
    return " ".join(unicodedata.normalize("NFC", _INVISIBLE.sub("", name)).split())


def numbered_name(position: int) -> str:
    """Return the name of a column that has none; `position` counts from 0."""
    return f"column_{position + 1}"


def column_names(header: Sequence[object], file: str) -> list[str]:
    """Return the cleaned names of a header; a column without one gets its number. Raise TableError for a name twice."""
    names = [clean_name("" if name is None else str(name)) for name in header]
    twice = {name: [n for n, other in enumerate(names, start=1) if other == name] for name in names if name}
    for name, places in twice.items():
        if len(places) > 1:
            shown = repr(name) if name.isidentifier() else "one name"  # a longer one might be a text
            raise TableError(
                f"The header of {file} has {shown} twice, in the columns {' and '.join(map(str, places))}; "
                "each column needs a name of its own.",
                hint="Rename or remove one of the columns; if the first line is no header, give header=no.",
            )
    return [name or numbered_name(position) for position, name in enumerate(names)]


def shown_names(columns: Sequence[str], form: Callable[[str], str] = str) -> str:
    """Return the columns' names for a message, each in `form`; a text in a header's place is not quoted."""
    names = enumerate(columns[:SHOWN_COLUMNS], 1)
    short = ((number, name, len(name) <= _LONGEST_NAME and len(name.split()) <= _MOST_WORDS) for number, name in names)
    return ", ".join(form(name) if is_name else f"(column {number})" for number, name, is_name in short)


def text_column(names: Sequence[str], wanted: str, *, hint: str) -> str:
    """Return the column of a file to score that holds the text: the wanted one, the only one, or a likely one.

    Raises TableError with `hint`, which says how to name one: there is no such column.
    """
    listed = shown_names(names, repr) or "none"
    if wanted and clean_name(wanted) not in names:
        raise TableError(f"There is no column {wanted!r}; the columns are {listed}.", hint=hint)
    if wanted or len(names) == 1:
        return clean_name(wanted) or names[0]
    likely = [name for known in LIKELY_COLUMNS for name in names if name.lower() == known]
    if not likely:
        raise TableError(f"Which column holds the text? The columns are {listed}.", hint=hint)
    return likely[0]
