"""The figures of `benchmarks/serving.py`, and its result as tables and a chart; the goals are in the template."""

from pathlib import Path
from typing import Any

from benchmarks.results import bars, render

CONCURRENCY = (1, 4, 16, 64)
LIST_ITEMS = 16
"""Texts in a request with a list."""

STOCK, HOOKS, SLIM_FULL, SLIM_STUDENT = "stock", "huggingface", "slim", "slim, student"

FIGURES = {
    "first_answer_s": "first answer after start, s",
    "p50_ms": "p50, ms",
    "p99_ms": "p99, ms",
    **{f"rate_{number}": f"requests/s at concurrency {number}" for number in CONCURRENCY},
    "p99_16_ms": "p99 at concurrency 16, ms",
    "list_ms": f"list of {LIST_ITEMS}, p50, ms",
    "memory_mb": "memory (PSS), MB",
    "artifact_mb": "artifact without code, MB",
    "installed_mb": "installed, MB",
    "accuracy": "accuracy on the test rows",
}


ABSOLUTE = ("accuracy", "artifact_mb")
"""Figures that are not compared with the stock stack's."""


def report(result: dict[str, Any]) -> str:
    """Return the result as Markdown."""
    return render("serving_report.md.jinja", result, titles=FIGURES, stock=STOCK, absolute=ABSOLUTE)


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw each figure's share of the stock stack's on a logarithmic axis; its 1 is where the bars begin."""
    figures = result["figures"]
    keys = [key for key in FIGURES if key not in ABSOLUTE]
    columns = {
        name: [found[key] / figures[STOCK][key] - 1 for key in keys] for name, found in figures.items() if name != STOCK
    }
    titles = [FIGURES[key] for key in keys]
    bars(columns, titles, path, xlabel="stock stack, same model = 1", left=1, logx=True, figsize=(9, 5))
