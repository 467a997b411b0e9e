"""Becomes a process of torchrun that ends with torchrun. A script of its own: `python worker.py SCRIPT…`.

torchrun starts each process in a session of its own, which the guard of the job (`child_guard`) does not reach. Without
this script the processes would survive when torchrun is killed.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> None:
    """Replace this process by `command`, with the same interpreter."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # stays in force after exec
        if os.getppid() != parent:
            sys.exit("torchrun has ended")
    os.execv(sys.executable, [sys.executable, *command])


if __name__ == "__main__":
    main(sys.argv[1:])
