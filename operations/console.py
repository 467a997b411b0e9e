"""What a command prints: lines of progress, and an answer at its end."""

import json
import time
from dataclasses import dataclass
from typing import Any

from operations import paths
from text_classifier.terminal import shown


@dataclass(frozen=True)
class Answer:
    """The end of a command: the document is what `--json` prints, the text what people read.

    The text is None where it is the document itself, empty where it was said already. The exit code is 1 for a result
    that is not good enough.
    """

    document: Any
    text: str | None = None
    exit_code: int = 0

    def show(self, *, as_json: bool) -> None:
        """Print the document or the text."""
        if as_json or self.text is None:
            say(json.dumps(self.document, indent=2, ensure_ascii=False, default=str))
        elif self.text:
            say(self.text)


class Phases:
    """Numbered headings with the seconds since the start; `count` phases there will be."""

    def __init__(self, count: int) -> None:
        self._started = time.monotonic()
        self._count = count
        self._number = 0

    def begin(self, title: str) -> None:
        """Print the heading of the next phase."""
        self._number += 1
        say(f"[{self._number}/{self._count}] {title}  ({self.seconds:.0f} s)")

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started


def say(text: str) -> None:
    """Print one line at once, also into a pipe. What a service or a text says doesn't steer the terminal."""
    print(shown(text), flush=True)


def filled(template: str, **values: Any) -> str:
    """Return the text that a template below `operations/` makes of values."""
    from jinja2 import Template  # few commands need it

    text = (paths.ROOT / "operations" / template).read_text(encoding="utf-8")
    return str(Template(text, trim_blocks=True, lstrip_blocks=True).render(**values)).rstrip()
