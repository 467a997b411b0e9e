"""Canonical files: JSON Lines by split, and the manifest that travels with them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from classifier.data.columns import OLD_DEFAULTS
from classifier.data.layout import MANIFEST, ROLES, Sources
from classifier.data.rows import Example
from classifier.data.settings import DataSettings
from classifier.errors import DataError

VERSION = 1
_REPORTS = ("quarantine-", "suspects")  # what other steps write beside the data
_NOT_READING = ("max_lost_share",)  # settings that may differ from those of the first reading


def lines_of(rows: Iterable[Example], objective: str) -> bytes:
    """Return the rows as JSON Lines."""
    return "".join(_line(row, objective) for row in rows).encode()


def _line(row: Example, objective: str) -> str:
    values: dict[str, object] = {"text": row.text}
    if objective == "regression":
        values["score"] = row.score
    elif objective == "multilabel":
        values["labels"] = list(row.labels)
    else:
        values["label"] = row.labels[0]
    values.update({name: value for name, value in (("group", row.group), ("family", row.family)) if value})
    # In ASCII, because a text may hold a character that some readers take for a line end (U+2028, U+0085).
    return json.dumps(values) + "\n"


def file_name(split: str) -> str:
    """Return the name of a split's file."""
    return f"{split}.jsonl"


def hash_of(manifest: Mapping[str, Any]) -> str:
    """Return the hash of labelled data: over the hash of each split and of its source file, each with its role.

    Raw files and the canonical files made from them have the same hash.
    """
    hashes = {split: entry["sha256"] for split, entry in manifest["splits"].items()}
    hashes |= {f"source of {split}": entry["sha256"] for split, entry in manifest["source"]["files"].items()}
    roles = "".join(f"{digest}  {role}\n" for role, digest in sorted(hashes.items()))
    return hashlib.sha256((roles + json.dumps([manifest["labels"], manifest["score_threshold"]])).encode()).hexdigest()


def write(folder: Path, splits: Mapping[str, list[Example]], manifest: Mapping[str, Any]) -> None:
    """Write the files of each split, and the manifest last."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, rows in splits.items():
        (folder / file_name(split)).write_bytes(lines_of(rows, manifest["objective"]))
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def manifest_beside(sources: Sources) -> dict[str, Any] | None:
    """Return the manifest in the training data's folder, None for raw files; raise DataError for another version's."""
    if sources.manifest is None:
        return None
    try:
        manifest = json.loads(sources.manifest.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict) or not {"version", "objective", "labels", "splits"} <= set(manifest):
        return None  # somebody else's file of this name
    if manifest["version"] != VERSION:
        raise DataError(
            f"{MANIFEST} has version {manifest['version']}; this code reads version {VERSION}.",
            hint="Read the original file again with this version.",
        )
    return manifest


def refuse_others(sources: Sources) -> None:
    """Refuse a folder in which another data file, which may be newer, lies beside the canonical ones: DataError."""
    ours = {file_name(split) for split in ROLES}
    others = [name for name in sources.unused if name not in ours and not name.startswith(_REPORTS)]
    if others:
        raise DataError(
            f"{', '.join(others)} lies beside the files that {MANIFEST} describes, and would not be read.",
            hint=f"To read it, give its path; to read the files of {MANIFEST}, move it elsewhere.",
        )


def read(sources: Sources, manifest: Mapping[str, Any], settings: DataSettings) -> dict[str, list[Example]]:
    """Read canonical files back, exactly; raise DataError for a changed file, or settings of another reading."""
    refuse_other_reading(manifest, settings)
    splits = {}
    for split, entry in manifest["splits"].items():
        path = sources.files.get(split)
        content = path.read_bytes() if path else b""
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            what = f"{path.name} is not the file" if path else f"There is no {split} file, which is the one"
            raise DataError(
                f"{what} that {MANIFEST} describes.",
                hint=f"Read the original file again, or delete {MANIFEST} to have these files read as they are.",
            )
        splits[split] = [_example(json.loads(line), number) for number, line in enumerate(content.splitlines(), 1)]
    return splits


def _example(values: Mapping[str, Any], line: int) -> Example:
    labels = values["labels"] if "labels" in values else [values["label"]] if "label" in values else []
    return Example(
        values["text"], tuple(labels), values.get("score"), values.get("group", ""), values.get("family", ""), line
    )


def refuse_other_reading(manifest: Mapping[str, Any], settings: DataSettings) -> None:
    """Refuse settings that ask for another reading than the one that a manifest describes; raise DataError."""
    source = manifest.get("source", {})
    columns, before = source.get("columns", {}), source.get("settings", {})
    label = columns.get("label")
    known = {
        "text_column": columns.get("text"),
        "label_column": ",".join(label) if isinstance(label, list) else label,
        "score_column": columns.get("score"),
        "score_threshold": manifest.get("score_threshold"),
        "product_column": columns.get("group"),
        "family_column": columns.get("family"),
        "label_names": ",".join(manifest["labels"]),
        "positive_label": manifest["labels"][-1] if len(manifest["labels"]) == 2 else None,
        "test_fraction": (manifest.get("held_out") or {"fraction": 0.0})["fraction"],
        # The label of a score can be learned instead.
        "objective": {"regression": "classification"}.get(manifest["objective"]),
        **{name: source.get("read_as", {}).get(name) for name in ("format", "encoding", "quote")},
    }
    before = {**before, "objective": manifest["objective"]}
    default = DataSettings()
    # A default that somebody states asks for a finding, where another value was set.
    stated = {name: getattr(default, name) for name in before if name in settings.stated and name != "objective"}
    given = {**stated, **settings.given()}
    if "test" in source.get("files", {}):
        given.pop("test_fraction", None)  # nothing was to be held out
    for name, value in given.items():
        if name in _NOT_READING or value in (before.get(name), known.get(name), OLD_DEFAULTS.get(name)):
            continue
        was = before.get(name) or known.get(name) or "found in its content"
        raise DataError(
            f"{name}={value} differs from how this data was read ({was}).",
            hint=f"Read the original file again with {name}={value}, or leave {name} out.",
        )
