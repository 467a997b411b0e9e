"""A model that does what its text says: each state of an endpoint, on demand."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

CRASHED = Path("crashed")
SLOW_RESTART_SECONDS = 60.0
GARBAGE = {
    "html": "<html>It works!</html>",
    "too few": '{"predictions": [], "model": {"version": "moody"}}',
    "infinite": '{"predictions": [{"label": "x", "confidence": 1e999, "score": null, "truncated": false}], '
    '"model": {"version": "moody"}}',
    "null": "null",
}


def model_fn(model_dir: str, context: Any = None) -> Path:
    """Load at once; after a crash load slowly, like a cold start."""
    marker = Path(model_dir) / CRASHED
    if marker.exists():
        marker.unlink()
        time.sleep(SLOW_RESTART_SECONDS)
    return marker


def transform_fn(marker: Path, data: Any, content_type: str, accept: str, context: Any = None) -> str:
    """Do what the first text says; answer any other text."""
    texts = json.loads(data)["inputs"]
    what = texts[0]
    if what == "crash":
        marker.touch()
        os._exit(3)
    if what.startswith("sleep "):
        time.sleep(float(what.removeprefix("sleep ")))
    if what == "raise":
        raise RuntimeError(f"cannot digest {texts}")
    if what in GARBAGE:
        return GARBAGE[what]
    answer = {"label": "x", "confidence": 1.0, "score": None, "truncated": False}
    return json.dumps({"predictions": [answer] * len(texts), "model": {"version": "moody"}})
