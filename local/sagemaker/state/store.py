"""The resources as JSON files, one file each. Atomic writes keep them intact when the process is killed."""

import copy
import json
import logging
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

from local.sagemaker.common.names import Key, Scope

logger = logging.getLogger(__name__)

Record = dict[str, Any]


class Store:
    """Records in memory, mirrored on disk. All methods are thread-safe; records are copied in and out."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._records: dict[Key, Record] = {}
        self.lock = threading.RLock()
        """To be held around a check and the change that depends on it."""

    def load(self) -> None:
        """Read what an earlier process left. An unreadable file is skipped with a warning."""
        with self.lock:
            self._records.clear()
            for path in sorted(self._root.glob("*/*/*/*.json")):
                try:
                    entry = json.loads(path.read_text(encoding="utf-8"))
                    self._records[Key(entry["kind"], Scope(*entry["scope"]), entry["name"])] = entry["record"]
                except (OSError, ValueError, KeyError, TypeError) as error:
                    logger.warning("ignoring unreadable state file %s: %s", path, error)

    def get(self, key: Key) -> Record | None:
        """Return a record, or None."""
        with self.lock:
            return copy.deepcopy(self._records.get(key))

    def put(self, key: Key, record: Record) -> None:
        """Create or replace a record."""
        with self.lock:
            self._records[key] = copy.deepcopy(record)
            self._write(key)

    def update(self, key: Key, **changes: Any) -> None:
        """Change members of a record (None removes one). Do nothing if there is no record."""
        with self.lock:
            if key in self._records:
                merged = {**self._records[key], **copy.deepcopy(changes)}
                self._records[key] = {member: value for member, value in merged.items() if value is not None}
                self._write(key)

    def delete(self, key: Key) -> Record | None:
        """Remove a record and return it, or None if there is no record."""
        with self.lock:
            self._path(key).unlink(missing_ok=True)
            return self._records.pop(key, None)

    def all(self, kind: str, scope: Scope | None = None) -> list[tuple[Key, Record]]:
        """Return every record of a kind, in one scope or in all."""
        with self.lock:
            return [
                (key, copy.deepcopy(record))
                for key, record in self._records.items()
                if key.kind == kind and (scope is None or key.scope == scope)
            ]

    def _path(self, key: Key) -> Path:
        return self._root / key.kind / key.scope.account / key.scope.region / f"{quote(key.name, safe='')}.json"

    def _write(self, key: Key) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps({**key._asdict(), "record": self._records[key]}, indent=1), encoding="utf-8")
        temporary.replace(path)
