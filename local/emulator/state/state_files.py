"""Writing ministack's state files quickly: it happens on the event loop, which answers no request meanwhile.

ministack copies every record before it writes it, and uses the slower of Python's two JSON encoders. This module
writes the two services that change all the time without copies, and renders an execution that has ended only once.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack.core import persistence
from ministack.services import cloudformation, stepfunctions

logger = logging.getLogger("local.state_files")

_ATTEMPTS = 3
_SEPARATOR = "\x00"  # within the keys of ministack's scoped stores
_STATES_STORES = ("state_machines", "tags", "activities", "state_machine_versions", "state_machine_aliases", "map_runs")
_lock = threading.Lock()
_ended: dict[tuple[str, str, str], tuple[tuple[str, int], str]] = {}  # ended executions: (version, JSON)


def save(service: str, get_state: Callable[[], Any]) -> None:
    """Write the state of one service; log what goes wrong. Thread-safe."""
    render = _WITHOUT_COPIES.get(service, lambda: _rendered(get_state()))
    for attempt in range(_ATTEMPTS):
        try:
            with _lock:
                text = render()
                if text is not None:
                    _write(service, text)
            return
        except RuntimeError:  # another thread changed a collection during the iteration
            if attempt == _ATTEMPTS - 1:
                logger.exception("The state of %s could not be collected.", service)
        except Exception:  # one broken service must not cost the others their state
            logger.exception("The state of %s could not be saved.", service)
            return


def _write(service: str, text: str) -> None:
    folder = Path(persistence.STATE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{service}.json.tmp"
    version = persistence._state_format_version(service)
    temporary.write_text(f'{{"__ministack_format__": {version}, "payload": {text}}}', encoding="utf-8")
    temporary.replace(folder / f"{service}.json")


def _rendered(state: Any) -> str | None:
    return None if state is None else json.dumps(state, default=persistence._json_default)


def _cloudformation() -> str | None:
    return _rendered({name: store() for store, name in cloudformation._PERSISTED_STORES})


def _stepfunctions() -> str:
    members = [f'"{name}": {_rendered(getattr(stepfunctions, f"_{name}"))}' for name in _STATES_STORES]
    executions = ", ".join(
        f"{json.dumps(_SEPARATOR.join((key[0], key[1], repr(key[2]))))}: {_execution(key, record)}"
        for key, record in stepfunctions._executions.all_items()
    )
    members.append(f'"executions": {{"__account_region_scoped__": true, "data": {{{executions}}}}}')
    return f"{{{', '.join(members)}}}"


def _execution(key: tuple[str, str, str], record: dict[str, Any]) -> str:
    # ministack sets the date before it adds the last event, so a final record has both.
    version = (record.get("stopDate") or "", len(record["events"]))
    known = _ended.get(key)
    if known and known[0] == version:
        return known[1]
    text = json.dumps(record, default=persistence._json_default)
    if version[0]:
        _ended[key] = (version, text)
    return text


_WITHOUT_COPIES: dict[str, Callable[[], str | None]] = {
    "cloudformation": _cloudformation,
    "stepfunctions": _stepfunctions,
}
