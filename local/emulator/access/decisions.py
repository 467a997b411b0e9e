"""A record of every decision about a right, one JSON object a line: who, action, resource, whether it was allowed.

Off unless the file is there: make an empty `decisions.jsonl` in the state folder before the local cloud starts.
"""

import json
import logging
import os
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO

from ministack.core import iam_evaluator

from local.emulator.common.patching import Original

logger = logging.getLogger("local.access")


def enforce(original: Original, key: str, action: str, *rest: Any, **named: Any) -> Any:
    """Note ministack's decision about a request that is signed with a key. A bad signature is no decision."""
    result = original(key, action, *rest, **named)
    if not isinstance(result, iam_evaluator.AuthError):
        caller = iam_evaluator.resolve_caller_identity(key) or {"userArn": "root" if key else "anonymous"}
        note(caller["userArn"], action, named.get("resource_arn", "*"), allowed=result is None)
    return result


def note(principal: str, action: str, resource: str, *, allowed: bool) -> None:
    """Add a decision to the record."""
    if file := _file():
        line = {"principal": principal, "action": action, "resource": resource, "allowed": allowed}
        try:
            file.write(json.dumps(line) + "\n")
        except OSError as error:  # a full disk must not refuse what is allowed
            logger.error("The record of decisions, %s, cannot be written: %s.", file.name, error.strerror)


@lru_cache(maxsize=1)
def _file() -> TextIO | None:
    path = Path(os.environ["STATE_DIR"]).with_name("decisions.jsonl")
    return path.open("a", buffering=1, encoding="utf-8") if path.exists() else None
