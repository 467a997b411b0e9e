"""Saving ministack's state while it runs; ministack itself saves on a clean shutdown only.

Saving happens on the event loop, which answers no request meanwhile. Other threads change the records, so every dict is
listed in one step before it is walked. ministack uses the slower of Python's two JSON encoders.
"""

import asyncio
import copy
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import persistence as files

from local.emulator.access.perimeter import GATEWAY_PATHS
from local.emulator.common.patching import Original

logger = logging.getLogger("local.persistence")

EVERYTHING = "*"  # stands for every service
LATER = ""  # for every service too, within 20 seconds; each change counts as this as well
_LOAD = 0.1  # largest share of the time that is spent on saving what changed
_LATE_LOAD = 0.02  # and on saving everything: a day's logs take a second
_PREDICTIONS = (*GATEWAY_PATHS, "/endpoints/")
_INVOCATION = "/invocations"
_LATE = ("cloudwatch", "cloudwatch_logs")  # large, and little is lost with the last seconds
_READ = re.compile(
    r"\.(Describe|List|Filter|BatchGet|Get(?!ActivityTask|Id|OpenId))"
)  # the exceptions change something
_SIGNED_FOR = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/aws4_request")
_NAMES = {"states": "stepfunctions", "events": "eventbridge", "logs": "cloudwatch_logs", "monitoring": "cloudwatch"}
_ATTEMPTS = 10
_writing = threading.Lock()
_unsaved: set[str] = set()  # the services whose last save failed
_pruning: list[Callable[[], None]] = []  # what deletes the code of functions that the next file no longer names
_changed: set[str] = set()
_lock = threading.Lock()


def note_change(service: str) -> None:
    """Have the state of a service (ministack's name), or EVERYTHING, saved in about a second, or LATER. Thread-safe."""
    with _lock:
        _changed.add(service)


def save_state(only: Collection[str] = ()) -> None:
    """Write the state of every service, or of those in `only` (ministack's names)."""
    started = time.monotonic()
    for name, get_state in app._build_persistence_save_dict().items():
        if not only or name in only:
            save_service(name, get_state)
    logger.debug("State of %s saved in %.0f ms.", ", ".join(only) or "all", 1000 * (time.monotonic() - started))


class Autosave:
    """Saves the service that a request changed about a second later, and every service within 20 seconds.

    Later where it takes long: requests wait meanwhile. `save` writes the services that it is given, or every service
    if there are none.
    """

    def __init__(
        self,
        save: Callable[[Collection[str]], None] = save_state,
        soon_seconds: float = 1.0,
        late_seconds: float = 20.0,
    ) -> None:
        self._save = save
        self._soon_seconds = soon_seconds
        self._late_seconds = late_seconds

    def note_request(self, method: str, path: str, authorization: str = "", target: str = "") -> None:
        """Note a request that may have changed something: no read, as its X-Amz-Target says, and no prediction."""
        reads = method == "GET" or _READ.search(target)
        if reads or path.startswith(_PREDICTIONS) or path.endswith(_INVOCATION):
            return
        found = _SIGNED_FOR.search(authorization)
        service = _NAMES.get(found.group(1), found.group(1)) if found else LATER
        note_change(LATER if service in _LATE else service)

    async def run(self) -> None:
        """Save until cancelled; write nothing while nothing changes."""
        pause, late_pause, saved_all, late = self._soon_seconds, self._late_seconds, time.monotonic(), False
        while True:
            await asyncio.sleep(pause)
            with _lock:
                changed = set(_changed)
                _changed.clear()
            started, late = time.monotonic(), late or bool(changed)
            changed.discard(LATER)
            everything = EVERYTHING in changed or (late and started - saved_all >= late_pause)
            # On the event loop on purpose: no request changes the state meanwhile.
            if everything:
                late = False
                self._save(())
                saved_all = time.monotonic()
                late_pause = max(self._late_seconds, (saved_all - started) / _LATE_LOAD)
            elif changed:
                self._save(changed)
            pause = max(self._soon_seconds, (time.monotonic() - started) / _LOAD)


def unsaved() -> list[str]:
    """Return the services whose last change has not reached the disk, because saving it failed."""
    return sorted(_unsaved)


def save_service(service: str, get_state: Callable[[], Any]) -> None:
    """Write the state of one service. What goes wrong is logged, and tried again until it succeeds. Thread-safe."""
    try:
        with _writing:
            _pruning.clear()
            state = _attempted(get_state)
            if state is not None:
                _write(service, json.dumps(state, default=files._json_default))
            while _pruning:
                _pruning.pop()()
    except Exception:  # one broken service must not cost the others their state
        if service not in _unsaved:
            logger.exception("The state of %s could not be saved; it is tried again.", service)
        _unsaved.add(service)
        note_change(service)
        return
    if service in _unsaved:
        _unsaved.discard(service)
        logger.warning("The state of %s is saved again.", service)


def _attempted(collect: Callable[[], Any]) -> Any:
    """Collect a state; again where another thread changed a collection that a service walks itself."""
    for _ in range(_ATTEMPTS):
        with suppress(RuntimeError):
            return collect()
    return collect()


def prune_code(original: Original, referenced: set[str]) -> None:
    """Keep the code that the file on disk names until the new one is there: a kill may come in between."""
    _pruning[:] = [lambda: original(referenced)]


def install() -> None:
    """Have `copy.deepcopy`, with which services collect their state, list a dict in one step before it copies it."""
    vars(copy)["_deepcopy_dispatch"][dict] = _copied


def _copied(found: dict[Any, Any], memo: dict[int, Any]) -> dict[Any, Any]:
    copies: dict[Any, Any] = {}
    memo[id(found)] = copies
    for key, value in list(found.items()):
        copies[copy.deepcopy(key, memo)] = copy.deepcopy(value, memo)
    return copies


def _write(service: str, text: str) -> None:
    folder = Path(files.STATE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{service}.json.tmp"
    version = files._state_format_version(service)
    temporary.write_text(f'{{"__ministack_format__": {version}, "payload": {text}}}', encoding="utf-8")
    temporary.replace(folder / f"{service}.json")
