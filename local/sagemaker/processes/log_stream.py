"""One log stream. Every line goes to CloudWatch (through the outbox) and to a file."""

import threading
from collections import deque
from logging import makeLogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path

from local.sagemaker.common.names import Scope
from local.sagemaker.state.outbox import Outbox

_TAIL_LINES = 20
_MAX_FILE_BYTES = 20_000_000


class LogStream:
    """Takes lines from any thread and keeps the last few for failure reasons.

    A file that reaches 20 MB is renamed to `<name>.1`, and a new one begins.
    """

    def __init__(self, outbox: Outbox, scope: Scope, group: str, stream: str, path: Path) -> None:
        """Open the file. Raises OSError."""
        self.group = group
        self._stream = stream
        self._outbox = outbox
        self._scope = scope
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: RotatingFileHandler | None
        self._file = RotatingFileHandler(path, maxBytes=_MAX_FILE_BYTES, backupCount=1, encoding="utf-8")

    def line(self, message: str) -> None:
        """Append one line."""
        self._outbox.line(self._scope, self.group, self._stream, message)
        with self._lock:
            self._tail.append(message)
            if self._file is not None:
                self._file.emit(makeLogRecord({"msg": message}))

    def note(self, message: str) -> None:
        """Append a line that comes from the local cloud itself."""
        self.line(f"[local cloud] {message}")

    def tail(self) -> list[str]:
        """Return the last lines (at most twenty) that are not blank."""
        with self._lock:
            return [line for line in self._tail if line.strip()]

    def close(self) -> None:
        """Close the file. Later lines go to CloudWatch only."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
