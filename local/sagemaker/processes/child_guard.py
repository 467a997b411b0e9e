"""Runs one command that must not outlive the local cloud. A script of its own: `python child_guard.py COMMAND…`.

The guard reads orders from its standard input. `T` sends the command SIGTERM. `K` sends SIGKILL to its process group.
End of file means that the local cloud has ended or was killed: the guard then sends SIGTERM and, after a grace period,
SIGKILL. When the command ends, the rest of its process group is killed. The exit code is the command's, or 128 + n
after signal n.

`prctl(PR_SET_PDEATHSIG)` alone is not enough: it fires when the *thread* that forked ends, and it does not reach
grandchildren. Here it only protects against a killed guard, which has a single thread.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from functools import partial

_ORPHAN_GRACE_SECONDS = 2.0
_PR_SET_PDEATHSIG = 1
_DIE_WITH_GUARD = (
    partial(ctypes.CDLL(None).prctl, _PR_SET_PDEATHSIG, signal.SIGKILL) if sys.platform == "linux" else None
)
"""Runs in the command's process before the command starts."""


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def main(command: list[str]) -> int:
    """Run `command` until it ends and return its exit code."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    # Handlers instead of SIG_IGN: the command would inherit an ignored signal.
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(wake_write)
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_DIE_WITH_GUARD,  # noqa: PLW1509 - this process has one thread
        )
    except OSError as error:
        print(f"cannot start {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        return 127
    kill_at: float | None = None
    inputs = [0, wake_read]
    while child.poll() is None:
        timeout = None if kill_at is None else max(0.0, kill_at - time.monotonic())
        ready, _, _ = select.select(inputs, [], [], timeout)
        if wake_read in ready:
            os.read(wake_read, 4096)
        if 0 in ready:
            orders = os.read(0, 64)
            if not orders:
                inputs.remove(0)
                kill_at = time.monotonic() + _ORPHAN_GRACE_SECONDS
            if not orders or b"T" in orders:
                child.terminate()
            if b"K" in orders:
                _kill_group(child)
        if kill_at is not None and time.monotonic() >= kill_at:
            _kill_group(child)
            kill_at = None
    _kill_group(child)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
