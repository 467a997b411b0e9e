"""The loss over the training steps as a small SVG. A plotting library would be the largest dependency."""

from pathlib import Path
from typing import Any

import jinja2

WIDTH, HEIGHT = 480, 320
"""Small, so that the text stays readable on a phone."""

LEFT, RIGHT, TOP, BOTTOM = 52, WIDTH - 16, 48, HEIGHT - 44
GRID_LINES = 4


def loss_curve(histories: list[list[dict[str, Any]]]) -> str:
    """Draw the training loss (lines) and validation loss (dots) of each run as SVG, for light and dark screens.

    `histories` are the Trainer's logs of at most two runs: entries with `step` and `loss` or `eval_loss`, maybe none.
    """
    entries = [entry for history in histories for entry in history if "loss" in entry or "eval_loss" in entry]
    last_step = max((entry["step"] for entry in entries), default=1)
    highest = max((float(entry["loss" if "loss" in entry else "eval_loss"]) for entry in entries), default=1.0) or 1.0

    def place(step: float, value: float) -> tuple[float, float]:
        return round(LEFT + (RIGHT - LEFT) * step / last_step, 1), round(BOTTOM - (BOTTOM - TOP) * value / highest, 1)

    def places(history: list[dict[str, Any]], name: str) -> list[tuple[float, float]]:
        return [place(entry["step"], float(entry[name])) for entry in history if name in entry]

    folder = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=folder, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    return environment.get_template("loss.svg.jinja").render(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=RIGHT,
        bottom=BOTTOM,
        last_step=last_step,
        place=place,
        values=[highest * n / GRID_LINES for n in range(GRID_LINES + 1)],
        runs=[(places(history, "loss"), places(history, "eval_loss")) for history in histories],
    )
