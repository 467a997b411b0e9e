"""Folders that nobody needs any more. Standard library only."""

import os
import secrets
import shutil
import sys
import threading
from pathlib import Path

_LOWEST_PRIORITY = 19


def discard(folder: Path) -> threading.Thread:
    """Take a folder away at once; delete it in the background, with what a kill left of others beside it."""
    if folder.is_dir():
        folder.replace(folder.with_name(f"{folder.name}.discarded-{secrets.token_hex(4)}"))
    thread = threading.Thread(target=_delete, args=(folder.parent,), name=f"discard-{folder.name}", daemon=True)
    thread.start()
    return thread


def _delete(parent: Path) -> None:
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
    for left in parent.glob("*.discarded-*"):
        shutil.rmtree(left, ignore_errors=True)
