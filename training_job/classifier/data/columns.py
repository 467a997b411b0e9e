"""Which column holds the text, the labels or the score, and the group: told, or inferred from names and content."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from classifier.data.layout import ROLES
from classifier.data.settings import DataSettings
from classifier.data.values import (
    differs_in_decimals,
    flag_of,
    is_blank,
    is_comma_decimal,
    list_of,
    number_of,
    plain,
    separator_of,
)
from classifier.errors import DataError
from tables.names import SHOWN_COLUMNS, shown_names

MAX_LABELS = 1000
SHIPPED = ("sentence", "helpful")
"""Columns of Helpful Sentences, the example that the project ships."""

SHIPPED_THRESHOLD = 1.0
"""The article's rule: `helpful < 1` is not helpful."""

OLD_DEFAULTS = {"product_column": "asin", "family_column": "product_family", "score_column": "helpful"}
"""Defaults of an earlier version, which launch inputs of that time may state. Data without such columns is no error."""

_WORDS: dict[str, Any] = json.loads(Path(__file__).with_name("column_words.json").read_text(encoding="utf-8"))
"""What columns of texts, titles, labels and groups are called, and the names of the two columns of text pairs."""

_SPLIT_NAMES = {name for names in ROLES.values() for name in names} | {"unassigned"}
_BINARY = {"0", "1", "0.0", "1.0", "true", "false"}
MIN_GROUPS = 5
"""With fewer groups, a held-out one would say more about that group than about the model."""


@dataclass(frozen=True)
class Columns:
    """The meaning of the columns, with notes for a person about the choice.

    `labels` are one column, or one a label; none where a score gives the label. `cell` says how a cell names them: one
    label, a list, parts between `separator`, or 0 and 1 (a column a label). `several`: a text may have any number.
    """

    text: str
    labels: tuple[str, ...] = ()
    cell: str = "one"  # one, list, separated, flags
    separator: str = ""
    several: bool = False
    score: str = ""
    comma_decimal: bool = True
    group: str = ""
    family: str = ""
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """Return them as in `manifest.json`."""
        label = list(self.labels) if len(self.labels) > 1 else "".join(self.labels) or None
        named = {"text": self.text, "label": label, "score": self.score, "group": self.group, "family": self.family}
        return {role: name or None for role, name in named.items()}


@dataclass
class _Profile:
    """What a column holds; cells that are blank do not count."""

    name: str
    cells: list[object]

    def __post_init__(self) -> None:
        self.keys = [_key(cell) for cell in self.cells]
        self.distinct = len(set(self.keys))
        strings = [cell for cell in self.cells if isinstance(cell, str)]
        self.lists = sum(list_of(cell) is not None for cell in self.cells[:1000]) > 0.9 * min(len(self.cells), 1000)
        self.separator = None if self.lists else separator_of(self.cells)
        comma = is_comma_decimal(self.cells)
        numbers = [number for cell in self.cells if (number := _number(cell, comma)) is not None]
        self.numbers = len(numbers) / len(self.cells)
        self.numeric = self.numbers > 0.95 and not self.separator
        self.fractional = self.numeric and any(number % 1 for number in numbers)
        self.binary = self.distinct == 2 and {key.lower() for key in self.keys} <= _BINARY
        self.length = sum(map(len, strings)) / len(strings) if strings else 0.0
        link = sum(cell.startswith(("http://", "https://", "www.")) for cell in strings) > 0.8 * len(strings)
        mostly_text = len(strings) > 0.5 * len(self.cells) and not (self.numeric or self.lists or link)
        spaced = sum(" " in cell.strip() or not cell.isascii() for cell in strings) > 0.5 * len(strings)
        self.texty = mostly_text and self.distinct > 2 and (spaced or self.length > 40)

    @property
    def words(self) -> list[str]:
        return [word for word in re.split(r"[\W_]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", self.name).lower()) if word]

    def rank(self, vocabulary: Sequence[str]) -> int:
        """Return how well the name speaks of a word: 2 if it is one, 1 if it contains one, else 0."""
        if "".join(self.words) in vocabulary:
            return 2
        return int(bool(set(self.words) & set(vocabulary)))


def _key(cell: object) -> str:
    return cell.strip() if isinstance(cell, str) else json.dumps(cell, default=str)


def _number(cell: object, comma: bool) -> float | None:
    try:
        return number_of(cell, comma=comma)
    except ValueError:
        return None


def choose_columns(
    name: str, columns: Sequence[str], rows: Sequence[Mapping[str, object]], settings: DataSettings
) -> Columns:
    """Choose the columns of the training file `name`; its rows are the parsed ones.

    Raises DataError: a column that was named does not exist, none fits, or several fit equally well.
    """
    cells = {column: [plain(row.get(column)) for row in rows] for column in columns}
    profiles = {
        column: _Profile(column, filled)
        for column, values in cells.items()
        if (filled := [cell for cell in values if not is_blank(cell)])
    }
    return _Chooser(name, list(columns), profiles, cells, settings).choose()


def refuse_other_decimals(columns: Columns, train: str, name: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Refuse a file that writes its scores with the other decimal sign than the training file: DataError."""
    comma = columns.comma_decimal
    if columns.score and differs_in_decimals((plain(row.get(columns.score)) for row in rows), comma=comma):
        other, ours = ("point", "comma") if comma else ("comma", "point")
        raise DataError(
            f"{name} writes {columns.score} with a decimal {other}, {train} with a decimal {ours}.",
            hint="Write the numbers of all files in one way.",
        )


def refuse_idle_flags(
    columns: Columns, train: Sequence[Mapping[str, object]], name: str, rows: Sequence[Mapping[str, object]]
) -> None:
    """Refuse a file in which a column of 0 and 1 has a 1 that the training data never has, beside columns of labels.

    The rows of the file would lack that label. Raises DataError.
    """
    if columns.cell != "flags":
        return
    used = {columns.text, columns.group, columns.family, *columns.labels}
    for column in dict.fromkeys(column for row in rows[:1] for column in row):
        if column in used or re.match(r"is_?|has_?", column.lower()):
            continue
        ours, theirs = ({_key(plain(row.get(column))).lower() for row in of} for of in (train, rows))
        if ours in ({"0"}, {"0.0"}, {"false"}) and theirs <= _BINARY and theirs & {"1", "1.0", "true"}:
            raise DataError(
                f"Column {shown_names([column])} has 1 in {name}, but 0 in every row of the training data, so that it "
                "cannot be learned as a label.",
                hint="Add rows with that label to the training data; if it is no label, name the others: label_column.",
            )


@dataclass
class _Chooser:
    file: str
    columns: list[str]
    profiles: dict[str, _Profile]
    cells: dict[str, list[object]]
    settings: DataSettings
    notes: list[str] = field(default_factory=list)

    def choose(self) -> Columns:
        told = self.settings
        if told.label_column and told.score_column not in ("", OLD_DEFAULTS["score_column"]):
            raise DataError(
                f"label_column={told.label_column} and score_column={told.score_column} are both set.",
                hint="Leave label_column out to learn the score, or score_column to learn the labels.",
            )
        if len(self.columns) == 1:
            raise DataError(
                f"{self.file} has one column only; a text and its label are two.",
                hint="Check delimiter and format, and that this is the labelled file.",
            )
        given = self._label_columns()
        score = "" if given else self._named("score_column")
        group, family = self._named("product_column"), self._named("family_column")
        text = self._named("text_column") or self._text({*given, score, group, family})
        group = group or self._group(text)
        family = family or ("product_family" if "product_family" in self.columns else "")
        used = {text, group, family}
        for profile in self.profiles.values():
            if profile.distinct > 1 and {key.lower() for key in profile.keys} <= _SPLIT_NAMES:
                self.notes.append(f"{profile.name} names a split for each row, and is not used: write a file a split")
        if not (given or score):
            score = self._shipped_score(text)
        if not (given or score):
            given = self._labels(used) if told.objective != "regression" else ()
            score = "" if given else self._score(used)
        if score:
            if told.objective == "multilabel":
                raise DataError(
                    f"objective=multilabel needs a column of labels; {self.file} has the score {score}.",
                    hint="Name label_column, or leave objective=auto.",
                )
            comma = is_comma_decimal(self.cells[score])
            return Columns(text, score=score, comma_decimal=comma, group=group, family=family, notes=self.notes)
        self._refuse_threshold(given)
        cell, separator, several = self._form(given)
        if several and told.objective == "classification":
            raise DataError(
                f"objective=classification needs one label a text; rows of {self.file} have several or none.",
                hint="Leave objective=auto, or take objective=multilabel.",
            )
        return Columns(text, given, cell, separator, several, group=group, family=family, notes=self.notes)

    def _refuse_threshold(self, labels: tuple[str, ...]) -> None:
        """Refuse a threshold that would do nothing; an earlier version's defaults may be stated."""
        told = self.settings
        old = (told.score_column, told.score_threshold) == (OLD_DEFAULTS["score_column"], SHIPPED_THRESHOLD)
        if told.score_threshold != "auto" and not old:
            column = labels[0] if len(labels) == 1 else "the column of the scores"
            raise DataError(
                f"score_threshold={told.score_threshold:g} is set, but {self.file} is read by its labels "
                f"({shown_names(labels)}), not by a score.",
                hint=f"Set score_column to {column}, or leave score_threshold out.",
            )

    def _named(self, setting: str) -> str:
        """Return the column that a setting names, "" if it names none."""
        name = str(getattr(self.settings, setting))
        if not name or name in self.columns:
            return name
        folded = [column for column in self.columns if column.casefold().split() == name.casefold().split()]
        if len(folded) == 1:
            return folded[0]
        if OLD_DEFAULTS.get(setting) == name:
            return ""
        raise self._missing(name, setting)

    def _missing(self, name: str, setting: str) -> DataError:
        return DataError(
            f"{self.file} has no column {name!r}; its columns are: {shown_names(self.columns)}.",
            hint=f"Name the column you mean: {setting}. Left empty, it is found by name and content.",
        )

    def _label_columns(self) -> tuple[str, ...]:
        told = self.settings.label_column
        if not told or told in self.columns:
            return (told,) if told else ()
        names = tuple(part.strip() for part in told.split(","))
        missing = [name for name in names if name not in self.columns]
        if missing:
            raise self._missing(told if len(missing) == len(names) else missing[0], "label_column")
        return names

    def _text(self, taken: set[str]) -> str:
        free = [profile for profile in self.profiles.values() if profile.name not in taken and profile.texty]
        self._refuse_pairs(free)
        if not free:
            free = [
                profile
                for profile in self.profiles.values()
                if profile.name not in taken and profile.rank(_WORDS["text"]) == 2 and not profile.numeric
            ]
        if not free:
            raise DataError(
                f"{self.file}: no column looks like text; its columns are: {shown_names(self.columns)}.",
                hint="Name the column: text_column.",
            )

        def fit(profile: _Profile) -> tuple[int, float]:
            title = bool(set(profile.words) & set(_WORDS["title"]))
            return profile.rank(_WORDS["text"]) - 2 * title, profile.length * profile.distinct / len(profile.cells)

        best = max(free, key=fit)
        rivals = (other for other in free if other is not best and fit(other)[0] >= 0)
        others = [other.name for other in rivals if other.length > 0.5 * best.length]
        if others:
            self.notes.append(f"also text, but not used: {', '.join(others)} (text_column says which is read)")
        return best.name

    def _refuse_pairs(self, texts: list[_Profile]) -> None:
        stems: dict[str, list[str]] = {}
        for profile in texts:
            stems.setdefault(re.sub(r"[\W_]*(?:[12]|[ab](?<=[\W_].))$", "", profile.name.lower()), []).append(
                profile.name
            )
        pair = next((names for names in stems.values() if len(names) == 2), None)
        lower = {profile.name.lower(): profile.name for profile in texts}
        pair = pair or next(
            ([lower[name] for name in sorted(names)] for names in _WORDS["pairs"] if lower.keys() >= set(names)), None
        )
        if pair:
            raise DataError(
                f"{self.file} holds text pairs ({' and '.join(pair)}): their label says how two texts relate. One text "
                "a row can be classified, not a pair.",
                hint="To classify one of the two by itself, name it: text_column.",
            )

    def _group(self, text: str) -> str:
        for profile in self.profiles.values():
            complete = len(profile.cells) >= 0.95 * len(self.cells[text])
            repeated = MIN_GROUPS <= profile.distinct < 0.9 * len(profile.cells)
            if profile.name.lower() in _WORDS["group"] and profile.name != text and complete and repeated:
                return profile.name
        return ""

    def _shipped_score(self, text: str) -> str:
        helpful = self.profiles.get(SHIPPED[1])
        return SHIPPED[1] if text == SHIPPED[0] and helpful is not None and helpful.numbers > 0.5 else ""

    def _labels(self, used: set[str]) -> tuple[str, ...]:
        free = [profile for profile in self.profiles.values() if profile.name not in used and not profile.fractional]
        candidates = [profile for profile in free if self._is_label(profile)]
        ranked = [profile for profile in candidates if profile.rank(_WORDS["label"])]
        flags = [
            profile for profile in candidates if profile.binary and not re.match(r"is_?|has_?", profile.name.lower())
        ]
        named = max((profile.rank(_WORDS["label"]) for profile in candidates), default=0)
        if len(flags) > 1 and (len(flags) == len(candidates) or named < 2):
            shown = ", ".join(profile.name for profile in flags[:SHOWN_COLUMNS])
            rivals = shown_names([profile.name for profile in candidates if not profile.binary])
            if any(not profile.binary for profile in ranked):
                raise DataError(
                    f"{self.file}: the label could be {rivals}, or one of several: {shown}.",
                    hint="Say which: label_column, with a comma between several columns.",
                )
            self.notes += [f"not used: {rivals} (label_column)"] if rivals else []
            return tuple(profile.name for profile in flags)
        best = [profile for profile in ranked if profile.rank(_WORDS["label"]) == named] if ranked else candidates
        if all(self._alike(best[0], other) for other in best[1:]):  # say the same of each row
            best = best[:1]
        if len(best) > 1:
            found = ", ".join(f"{profile.name} ({profile.distinct} values)" for profile in best[:20])
            raise DataError(
                f"{self.file}: several columns could be the label: {found}.", hint="Say which: label_column."
            )
        if not best:
            return ()
        return (self._in_words(best[0], candidates).name,)

    def _is_label(self, profile: _Profile) -> bool:
        """Return whether a column has few distinct values, or few parts in its cells."""
        rank = profile.rank(_WORDS["label"])
        distinct, count = profile.distinct, len(profile.cells)
        if profile.lists or profile.separator:
            distinct = len({str(part) for cell in profile.cells for part in _parts(cell, profile.separator)})
        if len(profile.cells) < 0.5 * max(map(len, self.cells.values()), default=0) and not rank:
            return False
        if set(profile.words) & {"id", "date", "time", "timestamp", "index", "url"} and not rank:
            return False
        if rank:
            return 1 <= distinct <= max(2, min(MAX_LABELS, 0.7 * count))
        return 2 <= distinct <= max(2, min(MAX_LABELS, count / 3))

    def _alike(self, one: _Profile, other: _Profile) -> bool:
        pairs = {(_key(a), _key(b)) for a, b in zip(self.cells[one.name], self.cells[other.name], strict=True)}
        return len(pairs) == one.distinct == other.distinct

    def _in_words(self, chosen: _Profile, candidates: list[_Profile]) -> _Profile:
        """Return the column that names in words what `chosen` numbers, if there is one."""
        if not chosen.numeric:
            return chosen
        for other in candidates:
            if other is not chosen and not other.numeric and not other.lists and self._alike(chosen, other):
                self.notes.append(f"{other.name} names the numbers of {chosen.name}")
                return other
        return chosen

    def _score(self, used: set[str]) -> str:
        free = [profile for profile in self.profiles.values() if profile.name not in used]
        scores = [profile.name for profile in free if profile.fractional]
        if not scores and self.settings.objective == "regression":
            scores = [profile.name for profile in free if profile.numeric and not profile.binary]
        if len(scores) == 1:
            return scores[0]
        what = f"several columns hold scores ({', '.join(scores)})" if scores else "no column looks like a label"
        raise DataError(
            f"{self.file}: {what}; its columns are: {shown_names(self.columns)}.",
            hint="Name the column: label_column, or score_column with score_threshold.",
        )

    def _form(self, labels: tuple[str, ...]) -> tuple[str, str, bool]:
        """Return how cells name labels, the separator, and whether a text may have several."""
        wanted = self.settings.objective
        forced = wanted == "multilabel"
        if len(labels) > 1:
            sums = [sum(map(_is_one, row)) for row in zip(*(self.cells[name] for name in labels), strict=True)]
            return "flags", "", forced or any(total != 1 for total in sums)
        profile = self.profiles.get(labels[0])
        filled = profile.cells if profile else []
        if profile and profile.lists:
            return "list", "", forced or any(len(list_of(cell) or ()) != 1 for cell in filled)
        told = self.settings.label_separator
        separator = profile.separator if profile and told == "auto" and wanted != "classification" else None
        if told not in ("auto", "none"):
            separator = told
        return ("separated", separator, True) if separator else ("one", "", forced)


def _parts(cell: object, separator: str | None) -> list[object]:
    found = list_of(cell)
    if found is not None:
        return found
    return [part.strip() for part in cell.split(separator)] if separator and isinstance(cell, str) else [cell]


def _is_one(cell: object) -> bool:
    try:
        return flag_of(cell)
    except ValueError:
        return False
