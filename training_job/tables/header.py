"""Find out whether the first row of a table names its columns."""

from collections import Counter
from collections.abc import Iterable, Sequence

from .dialect import is_number, looks_like_name
from .names import clean_name

_KNOWN = {
    *("text", "sentence", "review", "comment", "content", "body", "message", "title", "tweet", "question", "query"),
    *("utterance", "document", "description", "input", "label", "labels", "class", "category", "target", "sentiment"),
    *("emotion", "intent", "score", "rating", "stars", "id", "v1", "v2"),
}
_MOST_LABELS = 1000


def has_header(rows: Sequence[Sequence[str]], wanted: Iterable[str]) -> bool:
    """Tell whether the first of these rows holds names.

    A first row is data if one of its fields is a number in a column of numbers, occurs again in its column, as labels
    do, or is a sentence. It is a header if it has a name that the caller asked for, or usual ones; a single usual one
    may be a label or a short text, too.
    """
    first = [clean_name(field) for field in rows[0]]
    if has_usual_name(first, wanted) and (_lower(first) & _lower(wanted) or not _has_chance_name(rows)):
        return True
    if first == [str(position) for position in range(len(first))]:
        return True  # as pandas writes columns without names
    below = [row for row in rows[1:] if len(row) == len(first) and [clean_name(field) for field in row] != first]
    return not any(_is_data(field, [row[column] for row in below]) for column, field in enumerate(rows[0]) if field)


def has_usual_name(row: Iterable[str], wanted: Iterable[str]) -> bool:
    """Tell whether a row has a name that the caller asked for, or a usual one."""
    names = _lower(row)
    return bool(names & _KNOWN) or bool(names & _lower(wanted))


def _lower(names: Iterable[str]) -> set[str]:
    return {clean_name(name).lower() for name in names}


def _has_chance_name(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether a first row with a single usual name has it as a label, or beside a text.

    It is a label if it occurs again in its column, as labels do. It is beside a text if the other field is a sentence,
    as those below are.
    """
    usual = [column for column, field in enumerate(rows[0]) if clean_name(field).lower() in _KNOWN]
    below = [row for row in rows[1:] if len(row) == len(rows[0]) and row != rows[0]]
    if len(usual) != 1 or len(rows[0]) == 1 or not below:
        return False
    columns = [[row[column] for row in below] for column in range(len(rows[0]))]
    labels = columns.pop(usual[0])
    if _recurs(rows[0][usual[0]], labels):
        return True
    others = [field for column, field in enumerate(rows[0]) if column != usual[0]]
    numbers = sum(map(is_number, labels)) > len(labels) / 2
    return not numbers and any(
        _is_sentence(field) and sum(map(_is_sentence, column)) > len(column) / 2
        for field, column in zip(others, columns, strict=True)
    )


def titles(rows: Sequence[Sequence[str]], wanted: Sequence[str]) -> int:
    """Return how many of these rows, blank ones among them, stand above the header: titles, with one filled field each.

    A table of texts and labels may lack a label in its first row. So the row below has to be a full one and a header,
    which has a usual name or stands below a blank row.
    """
    filled = [sum(bool(field.strip()) for field in row) for row in rows]
    start = next((position for position, count in enumerate(filled) if count > 1), 0)
    before = [row for row, count in zip(rows[:start], filled, strict=False) if count]
    if not before or any(len(row) != len(rows[start]) or has_usual_name(row, wanted) for row in before):
        return 0
    usual = Counter(count for count in filled[start:] if count).most_common(1)[0][0]
    below = [row for row, count in zip(rows[start:], filled[start:], strict=True) if count]
    if filled[start] < max(usual, 2) or not has_header(below, wanted):
        return 0
    return start if not filled[start - 1] or has_usual_name(below[0], wanted) or names_labels(below) else 0


def names_labels(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first of these rows stands above a column of labels, and is none of them itself."""
    below = [row for row in rows[1:] if len(row) == len(rows[0])]
    columns = ([row[column] for row in below] for column in range(len(rows[0])))
    few = [len(set(column)) <= min(_MOST_LABELS, len(below) / 4) for column in columns]
    return any(few) and not any(_is_data(field, [row[column] for row in below]) for column, field in enumerate(rows[0]))


def _is_data(field: str, below: Sequence[str]) -> bool:
    if is_number(field):
        return not below or sum(map(is_number, below)) > len(below) / 2
    return _recurs(field, below) or not looks_like_name(field)


def _is_sentence(field: str) -> bool:
    return not is_number(field) and not looks_like_name(field)


def _recurs(field: str, below: Sequence[str]) -> bool:
    return field in below and len(set(below)) <= min(_MOST_LABELS, len(below) / 2 + 1)
