"""Becomes a process of torchrun that ends with torchrun. A script of its own: `python worker.py COUNT SCRIPT…`.

torchrun starts each process in a session of its own, which the guard of the job (`child_guard`) does not reach. Without
this script the processes would survive when torchrun is killed. COUNT processes are an instance; those of every
instance but the first are moved to its folders, which `torchrun` made.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def move_to_instance(number: int) -> None:
    """Let the variables of the script, and its working directory, name the folders of the instance `algo-NUMBER`."""
    base = os.environ["SAGEMAKER_BASE_DIR"]
    own = f"{base}/hosts/algo-{number}"
    for name, value in os.environ.items():
        if name in ("SAGEMAKER_BASE_DIR", "HOME") or name.startswith("SM_"):
            os.environ[name] = value.replace(base, own)
    os.environ["SM_CURRENT_HOST"] = f"algo-{number}"
    os.chdir(f"{own}/code")


def main(processes: int, command: list[str]) -> None:
    """Replace this process by `command`, with the same interpreter."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # stays in force after exec
        if os.getppid() != parent:
            sys.exit("torchrun has ended")
    if instance := int(os.environ.get("RANK", "0")) // processes:
        move_to_instance(instance + 1)
    os.execv(sys.executable, [sys.executable, *command])


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
