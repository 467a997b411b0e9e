"""Where the result of a measurement is kept: its numbers, its report and its chart, by name and day."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "benchmarks"


def keep(
    folder: Path, name: str, result: dict[str, Any], text: str, draw: Callable[[dict[str, Any], Path], None]
) -> Path:
    """Write ``<name>-<day>.json``, ``.md`` and ``.svg`` into ``folder``; their common path, without an ending.

    Args:
        folder: made if it is missing.
        name: of the measurement.
        result: its numbers; ``date`` in ISO format.
        text: the report as Markdown.
        draw: writes the chart.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{result['date'][:10]}"
    path.with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(text + f"\n![chart]({path.name}.svg)\n", encoding="utf-8")
    draw(result, path.with_suffix(".svg"))
    return path
