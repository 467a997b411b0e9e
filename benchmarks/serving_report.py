"""The figures and goals of `benchmarks/serving.py`, and its result as tables and a chart."""

from pathlib import Path
from typing import Any

from benchmarks.results import heading, table, verdict

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


def report(result: dict[str, Any]) -> str:
    """Return the result as Markdown."""
    figures, settings = result["figures"], result["settings"]
    lines = heading("Serving", result, "one core for the server, another for the load")
    lines[-1] += (
        f" {settings['rows']} sentences, at most {settings['requests']} requests or {settings['seconds']:g} s a load, "
        f"the best of {settings['rounds']} rounds; first answers of second starts, with all files in memory; the "
        f"load's own round trip is {settings['load_own_p50_ms']} ms."
    )
    measured = [
        [title, *(f"{figures[name][key]:.4g}{_ratio(figures, name, key)}" for name in figures)]
        for key, title in FIGURES.items()
    ]
    goals = [_goal(figures, name, key, *goal) for (name, key), goal in GOALS.items() if name in figures]
    asked = ["goal, of the stock stack's figure", "asked", "found", ""]
    return "\n".join([*lines, "", *table(["figure", *figures], measured), "", *table(asked, goals)]) + "\n"


def _goal(figures: dict[str, dict[str, float]], name: str, key: str, sign: str, wanted: float) -> list[str]:
    found = figures[name][key] / figures[STOCK][key]
    title = f"{FIGURES[key]}, {name}"
    if sign == ">=":
        return [title, f"≥ {wanted:g}×", f"{found:.1f}×", verdict(found >= wanted)]
    return [title, f"≤ 1/{1 / wanted:g}", f"1/{1 / found:.1f}", verdict(found <= wanted)]


def _ratio(figures: dict[str, dict[str, float]], name: str, key: str) -> str:
    if name == STOCK or key in ("accuracy", "artifact_mb"):
        return ""
    ratio = figures[name][key] / figures[STOCK][key]
    return f" ({ratio:.1f}×)" if ratio >= 1 else f" (1/{1 / ratio:.1f})"


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw each figure's share of the stock stack's as bars on a logarithmic axis."""
    from matplotlib.figure import Figure

    figures = result["figures"]
    keys = [key for key in FIGURES if key not in ("accuracy", "artifact_mb")]
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
