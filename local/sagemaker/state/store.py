"""The resources as JSON files: one a file, written atomically, so that they outlive a restart or a kill."""

from __future__ import annotations

import copy
import json
import logging
import threading
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from local.sagemaker.common.scope import Scope

logger = logging.getLogger(__name__)

Record = dict[str, Any]


class Key(NamedTuple):
    """Where a record is found: kind (``endpoint``), owner and name."""

    kind: str
    scope: Scope
    name: str


class Store:
    """Records in memory, mirrored on disk. Everything handed out is a copy; every method is thread-safe."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._records: dict[Key, Record] = {}
        self.lock = threading.RLock()
        """Held around a check that is followed by a change."""

    def load(self) -> None:
        """Read what an earlier process left; an unreadable file is skipped with a warning."""
        with self.lock:
            self._records.clear()
            for path in sorted(self._root.glob("*/*/*/*.json")):
                try:
                    entry = json.loads(path.read_text(encoding="utf-8"))
                    key = Key(entry["kind"], Scope(*entry["scope"]), entry["name"])
                    self._records[key] = entry["record"]
                except (OSError, ValueError, KeyError, TypeError) as error:
                    logger.warning("ignoring unreadable state file %s: %s", path, error)

    def get(self, kind: str, scope: Scope, name: str) -> Record | None:
        """The record, or None."""
        with self.lock:
            return copy.deepcopy(self._records.get(Key(kind, scope, name)))

    def put(self, kind: str, scope: Scope, name: str, record: Record) -> None:
        """Create or replace a record."""
        with self.lock:
            key = Key(kind, scope, name)
            self._records[key] = copy.deepcopy(record)
            self._write(key)

    def update(self, kind: str, scope: Scope, name: str, **changes: Any) -> Record | None:
        """Change members of a record (None removes one) and return it; None if it is gone."""
        with self.lock:
            key = Key(kind, scope, name)
            record = self._records.get(key)
            if record is None:
                return None
            for member, value in changes.items():
                if value is None:
                    record.pop(member, None)
                else:
                    record[member] = copy.deepcopy(value)
            self._write(key)
            return copy.deepcopy(record)

    def delete(self, kind: str, scope: Scope, name: str) -> Record | None:
        """Remove a record and return it; None if there was none."""
        with self.lock:
            key = Key(kind, scope, name)
            record = self._records.pop(key, None)
            self._path(key).unlink(missing_ok=True)
            return record

    def all(self, kind: str, scope: Scope | None = None) -> list[tuple[Key, Record]]:
        """Every record of a kind, of one owner or of all."""
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
        entry = {"kind": key.kind, "scope": list(key.scope), "name": key.name, "record": self._records[key]}
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(entry, indent=1), encoding="utf-8")
        temporary.replace(path)
