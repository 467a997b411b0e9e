"""Becomes one process of torchrun, one that ends with it. A script of its own: ``python training_worker.py SCRIPT…``.

torchrun gives each of its processes a session of its own, where the guard of the job (`child_guard`) does not reach
them: a killed torchrun would leave them behind.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> None:
    """Replace this process by `command`, run by the same interpreter."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # stays in force after exec
        if os.getppid() != parent:
            sys.exit("torchrun has ended")
    os.execv(sys.executable, [sys.executable, *command])


if __name__ == "__main__":
    main(sys.argv[1:])
