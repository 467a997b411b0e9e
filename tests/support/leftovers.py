"""Ends what a test session leaves behind when it is cut off: processes that work in its scratch folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil


def end_processes_in(folder: Path, seconds: float = 30) -> list[str]:
    """End every process whose command or environment names the folder; return their commands.

    They are asked first (SIGTERM), so that a local cloud ends its own children, and killed after `seconds`.
    """
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = [process for process in psutil.process_iter() if process.pid not in own and _works_in(process, folder)]
    commands = [_command(process) for process in found]
    for process in found:
        _tell(process, psutil.Process.terminate)
    _, alive = psutil.wait_procs(found, timeout=seconds)
    for process in alive:
        _tell(process, psutil.Process.kill)
    return commands


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        words = [*process.cmdline(), *process.environ().values()]
    except psutil.Error:
        return False
    return any(f"{folder}/" in f"{word}/" for word in words)


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return f"process {process.pid}"


def _tell(process: psutil.Process, what: Callable[[psutil.Process], None]) -> None:
    with suppress(psutil.Error):  # it may just have ended
        what(process)
