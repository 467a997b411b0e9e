"""A copy of tools/setup.py, with the files that decide its result, in a folder of its own: nothing here is touched."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

from tools import setup


def setup_copy(folder: Path) -> ModuleType:
    """Return the set-up tool of `folder`, freshly made; a test may change its files before it calls it."""
    for name in {*setup.INPUTS, *setup.ASSEMBLED.values(), "benchmarks/stock/requirements.lock"}:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(setup.ROOT / name, folder / name)
    spec = importlib.util.spec_from_file_location("copied_setup", folder / "tools" / "setup.py")
    assert spec and spec.loader
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy
