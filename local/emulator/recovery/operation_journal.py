"""What a stack operation has done so far, on disk before it does more: a kill leaves enough to finish or undo it."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

logger = logging.getLogger("local.operation_journal")

Record = dict[str, Any]


@dataclass
class Operation:
    """An operation that was not finished."""

    stack_name: str
    stack_id: str
    role: str
    """The service role it acted with; ``""`` for the caller's rights."""
    template: dict[str, Any]
    """The template it was bringing about."""
    parameters: dict[str, Any]
    """Its resolved parameters, ``{name: {"Value": …}}``."""
    previous: Record | None
    """The stack before; None for a creation."""
    records: dict[str, Record] = field(default_factory=dict)
    """The resources that were done, by logical id, in order."""
    made: list[tuple[str, str]] = field(default_factory=list)
    """(noun, name) of the SageMaker resources it set out to make, in order."""
    cleaning: bool = False
    """Whether it had begun to delete what it replaced, so that there is no way back."""
    frozen: bool = False
    """Whether the server was stopped under it: what the stack's record says of the end does not count."""


class OperationJournal:
    """One file for each running operation below `root`. Thread-safe."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._open: dict[str, bool] = {}  # stack name → still going forward
        self._frozen = False
        self._lock = threading.Lock()

    def begin(self, operation: Operation) -> None:
        """Open the journal of an operation."""
        self._root.mkdir(parents=True, exist_ok=True)
        first = {
            "stack_name": operation.stack_name,
            "stack_id": operation.stack_id,
            "role": operation.role,
            "template": operation.template,
            "parameters": operation.parameters,
            "previous": operation.previous,
        }
        with self._lock:
            self._open[operation.stack_name] = True
            path = self._path(operation.stack_name)
            temporary = path.with_suffix(".tmp")
            temporary.write_text(json.dumps(first, default=str) + "\n", encoding="utf-8")
            temporary.replace(path)

    def done(self, stack_name: str, logical_id: str, record: Mapping[str, Any]) -> None:
        """A resource is as the template wants it; nothing is noted once the operation is being rolled back."""
        self._add(stack_name, {"done": [logical_id, record]})

    def making(self, stack_name: str, noun: str, name: str) -> None:
        """A SageMaker resource is about to be made."""
        self._add(stack_name, {"making": [noun, name]})

    def cleaning(self, stack_name: str) -> None:
        """Something replaced is about to be deleted."""
        self._add(stack_name, {"cleaning": True})

    def going_back(self, stack_name: str) -> None:
        """The operation failed; from here on it undoes what it did."""
        with self._lock:
            if stack_name in self._open:
                self._open[stack_name] = False

    def freeze(self) -> None:
        """The server goes down: keep the journals as they are, whatever the operations under way still do."""
        with self._lock:
            for path in self._root.glob("*.jsonl"):  # those of this process, and those that are being recovered
                with path.open("a", encoding="utf-8") as file:
                    file.write('{"frozen": true}\n')
            self._frozen = True

    def end(self, stack_name: str) -> None:
        """The operation is over, and the stack's record saved."""
        with self._lock:
            if self._frozen:
                return
            self._open.pop(stack_name, None)
            self._path(stack_name).unlink(missing_ok=True)

    def unfinished(self) -> list[Operation]:
        """The operations whose journals an earlier process left."""
        found = []
        for path in sorted(self._root.glob("*.jsonl")):
            try:
                found.append(_read(path))
            except (OSError, ValueError, TypeError, KeyError, IndexError):
                logger.exception("The journal %s cannot be used.", path)
        return found

    def _add(self, stack_name: str, entry: Mapping[str, Any]) -> None:
        with self._lock:
            if self._open.get(stack_name) and not self._frozen:
                with self._path(stack_name).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(entry, default=str) + "\n")

    def _path(self, stack_name: str) -> Path:
        return self._root / f"{quote(stack_name, safe='')}.jsonl"


def _read(path: Path) -> Operation:
    first, *entries = path.read_text(encoding="utf-8").splitlines()
    operation = Operation(**json.loads(first))
    for line in entries:
        try:
            entry = json.loads(line)
        except ValueError:  # the last line, cut off by the kill
            break
        if "done" in entry:
            logical_id, record = entry["done"]
            operation.records[logical_id] = record
        elif "making" in entry:
            noun, name = entry["making"]
            operation.made.append((noun, name))
        else:
            operation.cleaning |= "cleaning" in entry
            operation.frozen |= "frozen" in entry
    return operation
