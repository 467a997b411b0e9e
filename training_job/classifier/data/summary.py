"""The few lines that tell a person how data was read."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

_SHOWN = 6
_SHORTENED = 3


def summary_of(manifest: Mapping[str, Any]) -> list[str]:
    """Return the lines: how the file was read, the splits, and each finding."""
    splits, source, held = manifest["splits"], manifest["source"], manifest["held_out"]
    of_file = ["train", *([held["split"]] if held else [])]
    rows = sum(splits[split]["rows"] for split in of_file)
    counts: Counter[str] = Counter()
    for split in of_file:
        counts.update(splits[split]["labels"])
    lines = [
        f"read as {source['read_as']['sentence']}: {rows:,} rows, {_labels(manifest, counts, rows)}; "
        + _columns(manifest)
    ]
    for split in ("validation", "test"):
        if held and held["split"] == split:
            drawn = f"{held['how']}, seed {held['seed']}"
            lines.append(f"{split}: {splits[split]['rows']:,} of these rows held out ({drawn})")
        elif split in splits:
            name = source["files"][split]["name"]
            lines.append(f"{split}: {splits[split]['rows']:,} rows of {name}")
    return lines + [finding["message"] for finding in manifest["findings"]]


def _labels(manifest: Mapping[str, Any], counts: Mapping[str, int], rows: int) -> str:
    names = manifest["labels"]
    kind = "labels" if manifest["objective"] == "multilabel" else "classes"
    several = f" ({sum(counts.values()) / rows:.2f} a text)" if manifest["objective"] == "multilabel" and rows else ""
    if len(names) <= _SHOWN:
        return f"{len(names)} {kind}{several} " + " ".join(f"{name} {counts[name]:,}" for name in names)
    order = sorted(names, key=lambda name: (-counts[name], names.index(name)))
    most = ", ".join(f"{name} {counts[name]:,}" for name in order[:_SHORTENED])
    return f"{len(names)} {kind}{several}, from {most} … to {order[-1]} {counts[order[-1]]:,}"


def _columns(manifest: Mapping[str, Any]) -> str:
    columns = manifest["source"]["columns"]
    label = columns["label"]
    if isinstance(label, list):
        shown = f"label columns {', '.join(label[:_SHOWN])}" + (
            f" and {len(label) - _SHOWN} more" * (len(label) > _SHOWN)
        )
    elif label:
        shown = f"label column {label}"
    else:
        shown = f"score column {columns['score']}, {manifest['labels'][1]} from {manifest['score_threshold']:g} on"
    extra = "".join(f", {role} column {columns[role]}" for role in ("group", "family") if columns[role])
    return f"text column {columns['text']}, {shown}{extra}"
