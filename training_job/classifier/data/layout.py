"""The files of a data set: one file, or a folder in which files are named after their splits."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from classifier.errors import DataError

ROLES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}
"""Splits, and what their files are usually called."""

MANIFEST = "manifest.json"
LABELS_FILES = ("labels.txt", "classes.txt", "label_names.txt")
MARKER = "ingest.json"
"""Lies in every channel, because SageMaker refuses a channel without a file. It is no data."""

_NOTES = re.compile(r"(readme|licen[cs]e|notice|changelog|requirements)\b", re.IGNORECASE)
SUFFIXES = {".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".xlsx", ".xls"}
_PACKED = {".gz", ".bz2", ".xz", ".zst", ".zip"}
_SHOWN = 20


@dataclass(frozen=True)
class Sources:
    """The files of a data set by split, always `train`; the file of the labels' names; the names of unread files."""

    files: dict[str, Path]
    labels: Path | None = None
    unused: list[str] = field(default_factory=list)
    manifest: Path | None = None


def find_sources(train: Path, test: Path | None) -> Sources:
    """Find the files of each split; both are files or folders. Without data files in it, `test` counts as None.

    The test file in the folder `train` is taken unless `test` has one. Raises DataError: a file is missing, several
    could be meant, or one file is given as both.
    """
    files, unused = _in_folder(train, "train") if train.is_dir() else ({"train": _existing(train)}, [])
    if "train" not in files:
        found = ", ".join(unused + [path.name for path in files.values()]) or "none"
        raise DataError(
            f"{train} holds no training data; data files found: {found}.",
            hint="Name the file train.csv, train.jsonl or the like, or give its path.",
        )
    if test is not None:
        own, others = _in_folder(test, "test") if test.is_dir() else ({"test": _existing(test)}, [])
        if "test" in own:
            unused += [files["test"].name] if "test" in files and not _same(files["test"], own["test"]) else []
            files["test"] = own["test"]
        if not (test.is_dir() and train.is_dir() and _same(test, train)):
            unused += others + [path.name for role, path in own.items() if role != "test"]
    if train.is_dir():
        unused += _below(train, list(files.values()))
    _refuse_one_for_two(files)
    folder = train if train.is_dir() else train.parent
    labels = next((folder / name for name in LABELS_FILES if (folder / name).is_file()), None)
    manifest = train / MANIFEST
    return Sources(files, labels, sorted(set(unused)), manifest if train.is_dir() and manifest.is_file() else None)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise DataError(f"{path} cannot be read: No such file.", hint="Give the path of a readable file or folder.")
    return path


def _in_folder(folder: Path, wanted: str) -> tuple[dict[str, Path], list[str]]:
    """Return the file of each role, and the names of data files that have none."""
    entries = [entry for entry in sorted(folder.iterdir()) if _is_data(entry)]
    if not entries and not _part_folders(folder) and (folder / "data").is_dir():  # as on the Hugging Face hub
        return _in_folder(folder / "data", wanted)
    if not entries:  # a folder a split
        entries = [file for part in _part_folders(folder) for file in sorted(part.iterdir()) if _is_data(file)]
    named: dict[str, list[Path]] = {role: [] for role in ROLES}
    others: list[Path] = []
    for entry in entries:
        role = role_of(_stem(entry)) or (role_of(entry.parent.name) if entry.parent != folder else None)
        (named[role] if role else others).append(entry)
    files = {}
    for role, candidates in named.items():
        exact = [file for file in candidates if _stem(file).lower() in ROLES[role]]
        chosen = exact if len(exact) == 1 else candidates
        if len(chosen) > 1:
            raise _several(folder, role, chosen)
        if chosen:
            files[role] = chosen[0]
            others += [file for file in candidates if file != chosen[0]]
    if wanted not in files:
        if len(others) > 1:
            raise _several(folder, wanted, others)
        if others:
            files[wanted] = others.pop()
    return files, [file.name for file in others]


def _several(folder: Path, role: str, files: list[Path]) -> DataError:
    found = ", ".join(file.name for file in files[:_SHOWN])
    return DataError(
        f"{folder} must hold one {role} file; data files found: {found}.",
        hint=f"Name the file you mean {role}{files[0].suffix}, or give its path. Join parts of one file first.",
    )


def _part_folders(folder: Path) -> list[Path]:
    return [entry for entry in sorted(folder.iterdir()) if entry.is_dir() and role_of(entry.name)]


def _below(folder: Path, used: list[Path]) -> list[str]:
    """Return the data files in a folder's `train`, `test` and so on that are not read, because it has files itself."""
    if not any(_is_data(entry) for entry in folder.iterdir()):
        return []
    files = [file for part in _part_folders(folder) for file in sorted(part.iterdir()) if _is_data(file)]
    return [f"{file.parent.name}/{file.name}" for file in files if not any(_same(file, other) for other in used)]


def _stem(path: Path) -> str:
    return path.name.split(".")[0]


def role_of(stem: str) -> str | None:
    """Return the split that a name speaks of: `train-00000-of-00001`, `my_test`; None if there is none or several."""
    words = set(re.split(r"[^a-z]+", stem.lower()))
    roles = [role for role, names in ROLES.items() if words & set(names)]
    return roles[0] if len(roles) == 1 else None


def is_data_file(name: str) -> bool:
    """Return whether a file's name is one of a data file, or of the manifest or labels that travel with it."""
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    # A packed file need not say what is in it (tickets.zip); a tar file holds a folder.
    known = bool(suffixes) and suffixes[-1] in SUFFIXES | _PACKED and ".tar" not in suffixes
    return known and not name.startswith((".", "_", "~")) and name != MARKER and not _NOTES.match(name)


def _is_data(path: Path) -> bool:
    return path.is_file() and is_data_file(path.name) and path.name not in (MANIFEST, *LABELS_FILES)


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _refuse_one_for_two(files: dict[str, Path]) -> None:
    roles = list(files)
    for index, role in enumerate(roles):
        for other in roles[index + 1 :]:
            one, two = files[role], files[other]
            if _same(one, two) or (one.stat().st_size == two.stat().st_size and one.read_bytes() == two.read_bytes()):
                raise DataError(
                    f"The {role} data and the {other} data are the same file ({one.name}); figures on it would be "
                    "figures on texts that were learned.",
                    hint=f"Give another {other} file, or none: a part of the rows is then held out.",
                )
