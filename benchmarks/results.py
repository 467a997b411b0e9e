"""What the benchmarks share: test rows, facts about the machine, progress, and dated results with their reports."""

import contextlib
import json
import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "benchmarks"
TELLING = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8")
"""Flags of a processor that decide how fast it multiplies small integers."""


def read_rows(file: Path) -> list[dict[str, Any]]:
    """Read a JSON Lines file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def machine() -> dict[str, Any]:
    """Return `cpu`, `cores`, `flags` (those of `TELLING` that it has) and `system`; without the machine's name."""
    info: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            info.setdefault(key.strip(), value.strip())
    return {
        "cpu": info.get("model name", platform.machine()),
        "cores": os.cpu_count(),
        "flags": [flag for flag in TELLING if flag in info.get("flags", "").split()],
        "system": f"{platform.system()} {platform.machine()}",
    }


def dated(versions: dict[str, str], settings: dict[str, Any]) -> dict[str, Any]:
    """Return the beginning of a result: when, on what, and how it was measured."""
    versions = {"python": platform.python_version(), **versions}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"date": now, "machine": machine(), "versions": versions, "settings": settings}


def render(template: str, result: dict[str, Any], **more: Any) -> str:
    """Return a report in Markdown: a template beside this file, filled with the entries of a result and with `more`."""
    folder = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=folder, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    return environment.get_template(template).render(result=result, **result, **more)


def bars(columns: dict[str, list[float]], titles: list[str], path: Path, **look: Any) -> None:
    """Draw a chart of horizontal bars, the first title at the top; `look`: options of pandas' `plot.barh`."""
    import pandas
    from matplotlib.figure import Figure

    axes = pandas.DataFrame(columns, titles).plot.barh(ax=Figure(layout="constrained").subplots(), **look)
    axes.invert_yaxis()
    axes.figure.savefig(path, metadata={"Date": None})


def keep(
    folder: Path, name: str, result: dict[str, Any], text: str, draw: Callable[[dict[str, Any], Path], None]
) -> Path:
    """Write `<name>-<day>.json`, `.md` and `.svg` into `folder`; return their common path without an ending."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{result['date'][:10]}"
    path.with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(text + f"\n![chart]({path.name}.svg)\n", encoding="utf-8")
    draw(result, path.with_suffix(".svg"))
    return path


def say(text: str) -> None:
    """Print progress to standard error."""
    print(f"[{Path(sys.argv[0]).stem}] {text}", file=sys.stderr, flush=True)
