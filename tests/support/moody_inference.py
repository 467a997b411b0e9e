"""A model that does what its text says: each state of an endpoint, on demand.

How long a state lasts is up to the test: while the file `BUSY` or `CRASHED` lies in the folder `MOODY_FOLDER`, the
model does not answer, or does not finish loading, however often it is restarted meanwhile.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

BUSY = "busy"
CRASHED = "crashed"
GARBAGE = {
    "html": "<html>It works!</html>",
    "too few": '{"predictions": [], "model": {"version": "moody"}}',
    "infinite": '{"predictions": [{"label": "x", "confidence": 1e999, "score": null, "truncated": false}], '
    '"model": {"version": "moody"}}',
    "null": "null",
}


def model_fn(model_dir: str, context: Any = None) -> Path:
    """Load at once; after a crash only when the test lets it, like a long cold start."""
    folder = Path(os.environ["MOODY_FOLDER"])
    _wait_while(folder / CRASHED)
    return folder


def transform_fn(folder: Path, data: Any, content_type: str, accept: str, context: Any = None) -> str:
    """Do what the first text says; answer any other text."""
    texts = json.loads(data)["inputs"]
    what = texts[0]
    if what == CRASHED:
        (folder / CRASHED).touch()
        os._exit(3)
    if what == BUSY:
        (folder / BUSY).touch()
        _wait_while(folder / BUSY)
    if what == "raise":
        raise RuntimeError(f"cannot digest {texts}")
    if what in GARBAGE:
        return GARBAGE[what]
    answer = {"label": "x", "confidence": 1.0, "score": None, "truncated": False}
    return json.dumps({"predictions": [answer] * len(texts), "model": {"version": "moody"}})


def _wait_while(file: Path) -> None:
    while file.exists():
        time.sleep(0.05)
