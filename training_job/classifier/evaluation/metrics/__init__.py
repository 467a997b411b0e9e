"""Metric modules for the ``evaluate`` library, loaded by path because ``evaluate.load("accuracy")`` asks a hub."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluate import CombinedEvaluations

FOLDER = Path(__file__).parent
NAMES = ("accuracy", "f1")


def load_metrics() -> CombinedEvaluations:
    """Accuracy and F1 combined: ``load_metrics().compute(predictions=…, references=…)`` gives both.

    Works without a network, and leaves nothing in the home directory: the library copies metric modules into a cache
    before it imports them, which is a temporary folder here unless ``HF_MODULES_CACHE`` says where.
    """
    with tempfile.TemporaryDirectory(prefix="metrics-") as scratch:
        with _variable("HF_MODULES_CACHE", f"{scratch}/modules"):
            import evaluate  # reads the variable on import
        loaded = [evaluate.load(str(FOLDER / name), keep_in_memory=True, cache_dir=f"{scratch}/data") for name in NAMES]
    return evaluate.combine(loaded)


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """Sets an environment variable for the block, unless it is set already."""
    if name in os.environ:
        yield
        return
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
