"""The test rows as the job used them, for whoever judges the model by its answers to them."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pandas as pd

TEST_ROWS_FILE = "test_rows.jsonl"


def write_test_rows(folder: Path, test: pd.DataFrame | None) -> Path | None:
    """Writes ``test_rows.jsonl``: text, label, score and family of each test row, in the order of the data file.

    What is not known is null. The file is there whole or not at all, and is removed where there is no test split.

    Args:
        folder: the job's output folder.
        test: the rows as ``prepare`` gives them, or None.

    Returns:
        The file, or None.
    """
    path = folder / TEST_ROWS_FILE
    if test is None:
        path.unlink(missing_ok=True)  # one from an earlier run would be taken for this one's
        return None
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            columns = (test[name].tolist() for name in ("text", "label", "score", "family"))
            file.writelines(_line(*row) for row in zip(*columns, strict=True))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _line(text: str, label: int, score: float, family: str) -> str:
    row = {"text": text, "label": label, "score": None if math.isnan(score) else score, "family": family or None}
    # Escaped, because a text may hold a line separator that splits lines elsewhere (U+2028, U+0085).
    return json.dumps(row) + "\n"
