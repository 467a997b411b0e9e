"""A child process of the local cloud. It runs under `child_guard`; its output is read line by line."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_GUARD = Path(__file__).with_name("child_guard.py")
_RELAY = str(_GUARD.with_name("isolation.py"))
ISOLATED = (sys.executable, "-I", "-S", _RELAY)
"""Words before those of a model server that is to have no network."""
_PROGRESS_SECONDS = 5.0
_MAX_LINE = 16_384
_KILL_SECONDS = 5.0
_DRAIN_SECONDS = 5.0


def split_lines(chunks: Iterator[bytes]) -> Iterator[str]:
    """Yield the lines of a stream of bytes; of a progress bar, which ends in a carriage return, one in five seconds."""
    pending = b""
    last_progress = 0.0
    for chunk in chunks:
        pending += chunk
        *parts, pending = pending.replace(b"\r\n", b"\n").splitlines(keepends=True) or [b""]
        if pending.endswith(b"\n") or len(pending) > _MAX_LINE:
            parts.append(pending)
            pending = b""
        for part in parts:
            if part.endswith(b"\r"):
                if time.monotonic() - last_progress < _PROGRESS_SECONDS:
                    continue
                last_progress = time.monotonic()
            yield part.decode("utf-8", errors="replace").rstrip("\r\n")
    if pending.strip():
        yield pending.decode("utf-8", errors="replace").rstrip("\r\n")


@dataclass(frozen=True)
class Command:
    """What a child process runs."""

    words: Sequence[str]
    cwd: Path
    environment: Mapping[str, str]
    """All of its environment; it inherits nothing."""


class ChildProcess:
    """A running command.

    Threads of this object call `on_line` for each line of output, standard error included, and `on_exit` once, after
    the last line.
    """

    def __init__(
        self, command: Command, on_line: Callable[[str], None], on_exit: Callable[[], None] = lambda: None
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD), *command.words],
            cwd=command.cwd,
            env=dict(command.environment),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._on_line = on_line
        self._on_exit = on_exit
        self._order_lock = threading.Lock()
        self._ended = threading.Event()
        threading.Thread(target=self._watch, name=f"child-{self._process.pid}", daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether the command is running."""
        return not self._ended.is_set()

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end of the command and its output; return the exit code, or None after `timeout` seconds."""
        self._ended.wait(timeout)
        return self._process.returncode if self._ended.is_set() else None

    def memory_mb(self) -> float | None:
        """Return the memory of the command in megabytes, without its children; None where there is no /proc."""
        command, relay = str(self._process.pid), True
        try:
            while relay:  # the guard's child, or the child of the one that isolates it
                (command,) = Path(f"/proc/{command}/task/{command}/children").read_text().split()
                relay = _RELAY in Path(f"/proc/{command}/cmdline").read_text()
            pages = int(Path(f"/proc/{command}/statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):
            return None
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2

    def stop(self, grace: float) -> int | None:
        """Send SIGTERM, and SIGKILL to the whole group after `grace` seconds. Return the exit code."""
        self._order(b"T")
        code = self.wait(grace)
        return self.kill() if code is None else code

    def kill(self) -> int | None:
        """Send SIGKILL to the whole group, if it still runs. Return the exit code."""
        self._order(b"K")
        code = self.wait(_KILL_SECONDS)
        if code is None:
            self._process.kill()
            code = self.wait(_KILL_SECONDS)
        return code

    def _order(self, letter: bytes) -> None:
        assert self._process.stdin is not None
        with self._order_lock, contextlib.suppress(BrokenPipeError):  # the guard may have just ended
            if not self._process.stdin.closed:
                self._process.stdin.write(letter)

    def _watch(self) -> None:
        reader = threading.Thread(target=self._read, name=f"output-{self._process.pid}", daemon=True)
        reader.start()
        self._process.wait()
        # A descendant that left the process group may keep the pipe open, so this wait has a limit.
        reader.join(timeout=_DRAIN_SECONDS)
        assert self._process.stdin is not None
        with self._order_lock:
            self._process.stdin.close()
        self._ended.set()
        self._on_exit()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in split_lines(iter(lambda: os.read(output.fileno(), 65_536), b"")):
                self._on_line(line)
