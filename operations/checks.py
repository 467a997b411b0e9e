"""Checks of a machine, an account or a deployment: a table for people, the same for scripts, an exit code for CI.

`tools/doctor.py` needs it where nothing is installed yet: whatever isn't of the standard library is imported late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from operations.console import Answer

OK, FAILED, NOTE, UNKNOWN = "ok", "FAILED", "note", "unknown"


@dataclass(frozen=True)
class Check:
    """One line of the answer. `next_step` is empty where nothing is to be done."""

    check: str
    status: str
    found: str
    next_step: str = ""


def judged(check: str, good: bool, found: str, next_step: str, otherwise: str = FAILED) -> Check:
    """Return what was found, as a success, or with its next step as a failure or what else is given."""
    return Check(check, OK, found) if good else Check(check, otherwise, found, next_step)


def guarded(checks: Iterable[Callable[..., Iterable[Check]]], *arguments: object) -> Iterator[Check]:
    """Yield what each check finds, or why it got no answer, so that the others go on."""
    from botocore.exceptions import BotoCoreError, ClientError
    from requests import RequestException

    from operations.console import note
    from operations.errors import OperationError
    from text_classifier import TextClassifierError

    for check in checks:
        name = check.__name__.strip("_").replace("_", " ")
        note(f"checking: {name}")
        try:
            yield from check(*arguments)
        except (ClientError, BotoCoreError, RequestException) as error:
            yield Check(name, UNKNOWN, str(error), "let these credentials make this call, and repeat")
        except (OperationError, TextClassifierError) as error:
            yield Check(name, FAILED, error.message, error.hint)


def written(found: list[Check]) -> tuple[str, bool]:
    """Return the lines for people, and whether a check failed or could not be made."""
    lines = [f"{one.status:8} {one.check:22} {one.found}" for one in found]
    lines += [f"Next step for {one.check}: {one.next_step}" for one in found if one.next_step]
    return "\n".join(lines), any(one.status in (FAILED, UNKNOWN) for one in found)


def table(checks: Iterable[Check]) -> Answer:
    """Return all that was found; the exit code is 1 if a check failed or could not be made."""
    from operations.console import Answer

    found = list(checks)
    text, bad = written(found)
    return Answer([vars(one) for one in found], text, exit_code=int(bad))
