"""One log stream: every line goes to CloudWatch (through the outbox) and to a file."""

from __future__ import annotations

import threading
import time
from collections import deque
from pathlib import Path

from local.sagemaker.common.scope import Scope
from local.sagemaker.state.outbox import Outbox

_TAIL_LINES = 20
_MAX_FILE_BYTES = 20_000_000


class LogStream:
    """Takes lines from any thread; remembers the last few for failure reasons.

    The file is kept below 20 MB: a full one is renamed to ``<name>.1`` and a new one begun.
    """

    def __init__(self, outbox: Outbox, scope: Scope, group: str, stream: str, path: Path) -> None:
        self.group = group
        self.stream = stream
        self._outbox = outbox
        self._scope = scope
        self._path = path
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def line(self, message: str) -> None:
        """Append one line."""
        self._outbox.line(self._scope, self.group, self.stream, int(time.time() * 1000), message)
        with self._lock:
            self._tail.append(message)
            if self._file.closed:
                return
            self._file.write(message + "\n")
            if self._file.tell() > _MAX_FILE_BYTES:
                self._file.close()
                self._path.replace(self._path.with_name(self._path.name + ".1"))
                self._file = self._path.open("a", encoding="utf-8", buffering=1)

    def tail(self) -> list[str]:
        """The last lines (at most twenty) that are not blank."""
        with self._lock:
            return [line for line in self._tail if line.strip()]

    def close(self) -> None:
        """Close the file; later lines go to CloudWatch only."""
        with self._lock:
            self._file.close()
