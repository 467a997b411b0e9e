"""What a run leaves besides the model: ``evaluation.json`` and, where matplotlib is installed, the loss curve."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path
from typing import Any

LIBRARIES = (
    "torch",
    "transformers",
    "datasets",
    "evaluate",
    "accelerate",
    "tokenizers",
    "onnx",
    "onnxruntime",
    "numpy",
)


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that shape the result."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def loss_curve(histories: list[list[dict[str, Any]]], path: Path) -> bool:
    """Draws training and validation loss over the steps.

    Args:
        histories: the Trainer's log of each run.
        path: the image to write; its suffix chooses the format.

    Returns:
        False, and nothing is written, if matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for number, history in enumerate(histories, start=1):
        for key, label, style in (("loss", "training", "-"), ("eval_loss", "validation", "o--")):
            points = [(entry["step"], float(entry[key])) for entry in history if key in entry]
            if points:
                axes.plot(*zip(*points, strict=True), style, color=f"C{number}", label=f"{label}, run {number}")
    axes.set(xlabel="training step", ylabel="loss", title="Loss", ylim=(0, None))
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    return True
