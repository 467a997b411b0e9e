"""A metric module for the `evaluate` library, loaded by path because `evaluate.load("accuracy")` asks the hub."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluate import EvaluationModule

MODULE = Path(__file__).parent / "accuracy_and_f1"


@cache
def load_metrics() -> EvaluationModule:
    """Load accuracy and F1: `load_metrics().compute(predictions=…, references=…)` returns both.

    It needs no network and leaves nothing in the home directory: the library copies metric modules into a cache before
    it imports them, which is a temporary folder here unless `HF_MODULES_CACHE` names one.
    """
    with tempfile.TemporaryDirectory(prefix="metrics-") as scratch, ExitStack() as afterwards:
        if "HF_MODULES_CACHE" not in os.environ:
            os.environ["HF_MODULES_CACHE"] = f"{scratch}/modules"
            afterwards.callback(os.environ.pop, "HF_MODULES_CACHE")
        import evaluate  # reads the variable on import

        return evaluate.load(str(MODULE), keep_in_memory=True, cache_dir=f"{scratch}/data")
