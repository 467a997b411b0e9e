"""The loss over the training steps as a small SVG, drawn here: a plotting library would be the largest dependency."""

from __future__ import annotations

from typing import Any

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 24, 48
COLOURS = ("#1b6ca8", "#c8553d", "#3a7d44", "#7a4ea3", "#8a6d1d")
"""One a run; beyond five runs they begin again."""

GRID_LINES = 4


def loss_curve(histories: list[list[dict[str, Any]]]) -> str:
    """Training loss (lines) and validation loss (dots) of each run.

    Args:
        histories: the Trainer's log of each run: entries with ``step`` and ``loss`` or ``eval_loss``.

    Returns:
        The text of an SVG file; axes only if nothing was logged.
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
        colour = COLOURS[number % len(COLOURS)]
        line = [place(entry["step"], float(entry["loss"])) for entry in history if "loss" in entry]
        dots = [place(entry["step"], float(entry["eval_loss"])) for entry in history if "eval_loss" in entry]
        points = " ".join(f"{x},{y}" for x, y in line)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>' for x, y in dots]
        parts.append(_text(WIDTH - RIGHT + 12, TOP + 20 * (number + 1), f"run {number + 1}", colour=colour))
    parts.append(_text(WIDTH - RIGHT + 12, TOP + 20 * (len(histories) + 2), "line: training"))
    parts.append(_text(WIDTH - RIGHT + 12, TOP + 20 * (len(histories) + 3), "dot: validation"))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="13">\n<title>Loss over the training steps</title>\n'
        f'<rect width="100%" height="100%" fill="white"/>\n'
        f"{body}\n</svg>\n"
    )


def _axes(last_step: int, highest: float, place: Any) -> list[str]:
    """Grid lines with their values, the largest step, and what the axes are."""
    parts = []
    for n in range(GRID_LINES + 1):
        value = highest * n / GRID_LINES
        (x1, y), (x2, _) = place(0, value), place(last_step, value)
        parts.append(f'<line x1="{x1}" y1="{y}" x2="{x2}" y2="{y}" stroke="#ddd"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{value:.3g}", anchor="end"))
    for step in (0, last_step):
        x, y = place(step, 0)
        parts.append(_text(x, y + 20, str(step), anchor="middle"))
    parts.append(_text(LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 10, "training step", anchor="middle"))
    parts.append(_text(LEFT, TOP - 8, "loss"))
    return parts


def _text(x: float, y: float, content: str, *, anchor: str = "start", colour: str = "#333") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}">{content}</text>'
