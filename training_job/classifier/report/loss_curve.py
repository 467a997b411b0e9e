"""The loss over the training steps as a small SVG. A plotting library would be the largest dependency."""

from collections.abc import Callable
from typing import Any

WIDTH, HEIGHT = 480, 320
"""Small, so that the text stays readable on a phone."""

LEFT, RIGHT, TOP, BOTTOM = 52, 16, 48, 44
GRID_LINES = 4

_STYLE = (
    "svg{--paper:#fff;--ink:#1c2128;--rule:#d5dae0;--r0:#0b62a8;--r1:#b3470f}"
    "@media (prefers-color-scheme:dark){svg{--paper:#14181d;--ink:#e6eaee;--rule:#38424c;--r0:#6cb6ff;--r1:#ff9a5c}}"
    "rect{fill:var(--paper)}text{fill:var(--ink)}line{stroke:var(--rule)}"
    "polyline{fill:none;stroke:var(--run);stroke-width:1.5}circle{fill:var(--run)}text.name{fill:var(--run)}"
)


def loss_curve(histories: list[list[dict[str, Any]]]) -> str:
    """Draw the training loss (lines) and validation loss (dots) of each run as SVG, for light and dark screens.

    `histories` are the Trainer's logs of at most two runs: entries with `step` and `loss` or `eval_loss`, maybe none.
    """
    entries = [entry for history in histories for entry in history if "loss" in entry or "eval_loss" in entry]
    last_step = max((entry["step"] for entry in entries), default=1)
    highest = max((float(entry["loss" if "loss" in entry else "eval_loss"]) for entry in entries), default=1.0) or 1.0

    def place(step: float, value: float) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - RIGHT) * step / last_step
        y = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / highest
        return round(x, 1), round(y, 1)

    parts = _axes(last_step, highest, place)
    for number, history in enumerate(histories):
        line = [place(entry["step"], float(entry["loss"])) for entry in history if "loss" in entry]
        dots = [place(entry["step"], float(entry["eval_loss"])) for entry in history if "eval_loss" in entry]
        points = " ".join(f"{x},{y}" for x, y in line)
        marks = f'<polyline points="{points}"/>' + "".join(f'<circle cx="{x}" cy="{y}" r="4"/>' for x, y in dots)
        marks += f'<text class="name" x="{LEFT + 62 * number}" y="18">run {number + 1}</text>'
        parts.append(f'<g style="--run:var(--r{number})">{marks}</g>')
    parts.append(_text(WIDTH - RIGHT, 38, "line: training, dot: validation", anchor="end"))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="15">\n<title>Loss over the training steps</title>\n<style>{_STYLE}</style>\n'
        f'<rect width="100%" height="100%"/>\n'
        f"{body}\n</svg>\n"
    )


def _axes(last_step: int, highest: float, place: Callable[[float, float], tuple[float, float]]) -> list[str]:
    """Draw grid lines with their values, the first and last step, and the names of the axes."""
    parts = []
    for n in range(GRID_LINES + 1):
        value = highest * n / GRID_LINES
        (x1, y), (x2, _) = place(0, value), place(last_step, value)
        parts.append(f'<line x1="{x1}" y1="{y}" x2="{x2}" y2="{y}"/>')
        parts.append(_text(LEFT - 8, y + 5, f"{value:.2g}", anchor="end"))
    for step, anchor in ((0, "middle"), (last_step, "end")):
        x, y = place(step, 0)
        parts.append(_text(x, y + 20, str(step), anchor=anchor))
    parts.append(_text(LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 8, "training step", anchor="middle"))
    parts.append(_text(4, 38, "loss"))
    return parts


def _text(x: float, y: float, content: str, *, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{content}</text>'
