"""Keeps the journal of every stack operation while ministack carries it out, and saves the stacks at both ends."""

import json
import logging
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ministack.core.persistence import STATE_DIR
from ministack.services import cloudformation

from local.emulator.access import stack_roles
from local.emulator.common.patching import Original, Record
from local.emulator.state import persistence

logger = logging.getLogger("local.operation_journal")


@dataclass
class Operation:
    """An operation that was not finished."""

    stack_name: str
    stack_id: str
    role: str  # the service role it acted with; empty for the caller's rights
    template: Record  # the new template
    parameters: Record  # its resolved parameters, {name: {"Value": …}}
    previous: Record | None  # the stack before; None for a creation
    records: dict[str, Record] = field(default_factory=dict)  # the finished resources, by logical id, in order
    made: list[tuple[str, str]] = field(default_factory=list)  # (noun, name) of SageMaker resources, in order
    cleaning: bool = False  # it had begun to delete what it replaced: a rollback is no longer possible
    frozen: bool = False  # the server was stopped during it: an end in the stack's record does not count


class OperationJournal:
    """One file for each running operation below `root`. Thread-safe."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._open: dict[str, bool] = {}  # stack name → no rollback yet
        self._frozen = False
        self._lock = threading.Lock()

    def begin(self, operation: Operation) -> None:
        """Open the journal of an operation."""
        self._root.mkdir(parents=True, exist_ok=True)
        with self._lock:
            self._open[operation.stack_name] = True
            path = self._path(operation.stack_name)
            temporary = path.with_suffix(".tmp")
            temporary.write_text(json.dumps(vars(operation), default=str) + "\n", encoding="utf-8")
            temporary.replace(path)

    def note(self, stack_name: str, entry: Record) -> None:
        """Add an entry, unless the operation is being rolled back.

        `{"done": [logical id, record]}`: a resource is as the template wants it. `{"making": [noun, name]}`: a
        SageMaker resource is about to be created. `{"cleaning": True}`: a replaced resource is about to be deleted.
        """
        with self._lock:
            if self._open.get(stack_name) and not self._frozen:
                with self._path(stack_name).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(entry, default=str) + "\n")

    def going_back(self, stack_name: str) -> None:
        """Stop taking notes: the operation failed and its rollback begins."""
        with self._lock:
            if stack_name in self._open:
                self._open[stack_name] = False

    def freeze(self) -> None:
        """Keep the journals as they are, whatever running operations still do: the server stops."""
        with self._lock:
            for path in self._root.glob("*.jsonl"):  # those of this process, and those that are being recovered
                with path.open("a", encoding="utf-8") as file:
                    file.write('{"frozen": true}\n')
            self._frozen = True

    def end(self, stack_name: str) -> None:
        """Delete the journal of an operation that is over and whose stack is saved."""
        with self._lock:
            if not self._frozen:
                self._open.pop(stack_name, None)
                self._path(stack_name).unlink(missing_ok=True)

    def unfinished(self) -> list[Operation]:
        """Return the operations whose journals an earlier process left."""
        found = []
        for path in sorted(self._root.glob("*.jsonl")):
            try:
                found.append(_read(path))
            except (OSError, ValueError, TypeError, KeyError, IndexError):
                logger.exception("The journal %s cannot be used.", path)
        return found

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


JOURNAL = OperationJournal(Path(STATE_DIR) / "stack-operations")  # the journal of this cloud's stack operations
STACK_TYPE = "AWS::CloudFormation::Stack"
_DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


def deploy_stack(original: Original, *operation: Any, **options: Any) -> Coroutine[Any, Any, None]:
    """Open the journal before the operation's task starts, and close it when the result is saved."""
    stack_name, stack_id, template, parameters, *_ = operation
    previous = options.get("previous_stack")
    JOURNAL.begin(Operation(stack_name, stack_id, stack_roles.ACTOR.get(), template, parameters, previous))
    persistence.save_state(["cloudformation"])

    async def run() -> None:
        await original(*operation, **options)
        # Not in a finally clause: the journal of an interrupted operation has to stay.
        persistence.save_state(["cloudformation"])
        JOURNAL.end(stack_name)
        persistence.note_change(persistence.EVERYTHING)

    return run()


def add_event(original: Original, *event: Any, **more: Any) -> None:
    """Note what an event says: a resource is done, or a rollback has begun."""
    original(*event, **more)
    persistence.note_change("cloudformation")
    _, stack_name, logical_id, resource_type, status, *_ = event
    if resource_type == STACK_TYPE and logical_id == stack_name:
        if "ROLLBACK" in status:
            JOURNAL.going_back(stack_name)
    elif status in _DONE:
        stack = cloudformation._stacks.get(stack_name) or {}
        if record := stack.get("_resources", {}).get(logical_id):
            JOURNAL.note(stack_name, {"done": [logical_id, record]})
