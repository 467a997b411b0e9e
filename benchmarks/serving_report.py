"""The figures and goals of `benchmarks/serving.py`, and its result as tables and a chart."""

from pathlib import Path
from typing import Any

from benchmarks.results import render

CONCURRENCY = (1, 4, 16, 64)
LIST_ITEMS = 16
"""Texts in a request with a list."""

STOCK, HOOKS, SLIM_FULL, SLIM_STUDENT = "stock", "huggingface", "slim", "slim, student"
GOALS: dict[tuple[str, str], tuple[str, float]] = {
    (SLIM_FULL, "first_answer_s"): ("<=", 1 / 30),
    (SLIM_FULL, "p50_ms"): ("<=", 1 / 7.5),
    (HOOKS, "p50_ms"): ("<=", 1 / 3.5),
    (SLIM_FULL, "rate_16"): (">=", 6.5),
    (SLIM_STUDENT, "rate_16"): (">=", 10.0),
    (SLIM_FULL, "p99_16_ms"): ("<=", 1 / 6),
    (SLIM_FULL, "list_ms"): ("<=", 1 / 5.5),
    (SLIM_STUDENT, "list_ms"): ("<=", 1 / 9),
    (SLIM_FULL, "memory_mb"): ("<=", 1 / 8),
}
"""Each is a share of the stock stack's figure in the same run."""

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
    return render("serving_report.md.jinja", result, titles=FIGURES, goals=GOALS, stock=STOCK, absolute=ABSOLUTE)


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw each figure's share of the stock stack's as bars on a logarithmic axis."""
    from matplotlib.figure import Figure

    figures = result["figures"]
    keys = [key for key in FIGURES if key not in ABSOLUTE]
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    names = [name for name in figures if name != STOCK]
    for place, name in enumerate(names):
        # Bars begin at the stock stack's 1: to the left is less, to the right is more.
        beyond = [figures[name][key] / figures[STOCK][key] - 1 for key in keys]
        rows = [number + place / (len(names) + 1) for number in range(len(keys))]
        axes.barh(rows, beyond, 1 / (len(names) + 1), left=1, label=name)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_yticks(range(len(keys)), [FIGURES[key] for key in keys])
    axes.invert_yaxis()
    axes.set_xlabel("stock stack, same model = 1")
    axes.legend()
    figure.savefig(path, metadata={"Date": None})
