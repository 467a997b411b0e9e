"""The few lines that tell a person how data was read."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

_FOLDER = jinja2.FileSystemLoader(Path(__file__).parent)
_TEMPLATES = jinja2.Environment(loader=_FOLDER, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def summary_of(manifest: Mapping[str, Any]) -> list[str]:
    """Return the lines: how the file was read, the splits, and each finding; raise LookupError where one is missing."""
    labels, held = manifest["labels"], manifest["held_out"]
    of_file = [manifest["splits"][split] for split in ("train", *([held["split"]] if held else []))]
    counts = Counter[str]()
    for split in of_file:
        counts.update(split["labels"])
    values = {
        "rows": sum(split["rows"] for split in of_file),
        "counts": counts,
        "columns": manifest["source"]["columns"],
        "several": manifest["objective"] == "multilabel",
        "order": sorted(labels, key=lambda name: (-counts[name], labels.index(name))),
    }
    try:
        text = _TEMPLATES.get_template("summary.txt.jinja").render(**manifest, **values)
    except jinja2.UndefinedError as error:
        raise LookupError(error.message) from error
    return [*text.rstrip("\n").split("\n"), *(finding["message"] for finding in manifest["findings"])]
