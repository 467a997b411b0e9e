"""What a command prints: lines of progress, and an answer at its end; what it waits for, on standard error.

Line breaks and colours are for terminals alone: a pipe gets every line as it is.
"""

import json
import re
import shutil
import sys
import textwrap
import threading
import time
from dataclasses import dataclass
from typing import Any

from operations import paths
from text_classifier.terminal import shown

COLUMNS = 80  # of a terminal that does not tell, and of `--help`
QUIET_SECONDS = 2.0  # after so long without a line a terminal shows what is waited for
LOG_SECONDS = 15.0  # the same where standard error is no terminal
_STYLES = {
    "bold": r"^\[\d+/\d+\] .*|^Next step[^:]*:",
    "green": r"^(?:ok |\*).*",
    "bold red": r"^(?:FAILED|Error:)",
    "yellow": r"^(?:note|unknown) |\bNOTE:",
}
"""Rich's styles, and the words that they are for."""


@dataclass(frozen=True)
class Answer:
    """The end of a command: the document is what `--json` prints, the text what people read.

    The text is None where it is the document itself, empty where it was said already. `whole`: its lines are for
    copying, and stay whole on a terminal. The exit code is 1 for a result that is not good enough.
    """

    document: Any
    text: str | None = None
    exit_code: int = 0
    whole: bool = False

    def show(self, *, as_json: bool) -> None:
        """Print the document or the text."""
        if as_json or self.text is None:
            say(json.dumps(self.document, indent=2, ensure_ascii=False, default=str), whole=True)
        elif self.text:
            say(self.text, whole=self.whole)


class Phases:
    """Numbered headings with the seconds since the start; `count` phases there will be."""

    def __init__(self, count: int) -> None:
        self._started, self._count, self._number = time.monotonic(), count, 0

    def begin(self, title: str) -> None:
        """Print the heading of the next phase."""
        self._number += 1
        say(f"[{self._number}/{self._count}] {title}  ({self.seconds:.0f} s)")

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started


class Waiting(threading.Thread):
    """While a command prints nothing, shows the seconds since its start and the last line or `note`.

    A terminal shows that in place after two seconds, otherwise a line comes every 15 seconds.
    """

    current: "Waiting | None" = None

    def __init__(self, what: str) -> None:
        super().__init__(daemon=True)
        self.what, self._stream, self._lock, self._ended = what, sys.stderr, threading.RLock(), threading.Event()
        self._begun = self._last = time.monotonic()

    def __enter__(self) -> None:
        Waiting.current = self
        self.start()

    def __exit__(self, *_: object) -> None:
        Waiting.current = None
        self._ended.set()
        self.join()
        self.clear("")

    def clear(self, what: str) -> None:
        """Take away what stands in place, because a line is printed; that is what is waited for from now on."""
        with self._lock:
            self.what, self._last = what or self.what, time.monotonic()
            if self._stream.isatty():
                print("\r\x1b[K", end="", file=self._stream, flush=True)

    def run(self) -> None:
        """Look twice a second, and show it where nothing was printed for long."""
        in_place, stream = self._stream.isatty(), self._stream
        while not self._ended.wait(0.5):
            with self._lock:
                now = time.monotonic()
                told = f"  … {now - self._begun:.0f} s: {self.what}"
                if not self.what or now - self._last < (QUIET_SECONDS if in_place else LOG_SECONDS):
                    continue
                if in_place:
                    print(f"\r{told[: columns() - 1]}\x1b[K", end="", file=stream, flush=True)
                else:
                    print(told, file=stream, flush=True)
                    self._last = now


def note(what: str) -> None:
    """Tell what is waited for from now on; nothing while a person types."""
    if Waiting.current:
        Waiting.current.what = shown(what).strip()


def say(text: str, *, error: bool = False, whole: bool = False) -> None:
    """Print lines at once, also into a pipe. What a service or a text says doesn't steer the terminal.

    A terminal gets them in colour, and broken between words at its width unless they are `whole`, for copying.
    """
    text, stream = shown(text), sys.stderr if error else sys.stdout
    if Waiting.current:
        Waiting.current.clear(text.rstrip().rpartition("\n")[2].strip())
    if not stream.isatty():
        print(text, file=stream, flush=True)
        return
    from rich.console import Console  # takes a third of a second; honours NO_COLOR
    from rich.text import Text

    for line in text.split("\n"):
        styled = Text(line if whole else broken(line, columns()))
        for style, words in _STYLES.items():
            styled.highlight_regex(words, style)
        Console(file=stream, highlight=False).print(styled, soft_wrap=True)


def columns() -> int:
    """Return the width of the terminal."""
    return shutil.get_terminal_size((COLUMNS, 24)).columns


def broken(line: str, width: int) -> str:
    """Break a line between words, below the last column of a table that begins in its first half."""
    begins = [0, *(found.end() for found in re.finditer(r"^ +| {2,}", line) if found.end() <= width // 2)]
    first, below = line[: begins[-1]], " " * begins[-1]
    filled = textwrap.fill(line, width, subsequent_indent=below, break_long_words=False, break_on_hyphens=False)
    name = f"{first.rstrip()}\n{below}"  # alone, because one long word follows: that stands beside it
    return first + filled.removeprefix(name) if first.strip() and filled.startswith(name) else filled


def in_columns(rows: list[tuple[str, ...]]) -> str:
    """Return a table whose first row is its headings; on a terminal its cells are broken to fit."""
    from rich.console import Console
    from rich.table import Table

    width, between = (columns(), 1) if sys.stdout.isatty() else (1000, 2)
    table = Table(box=None, pad_edge=False, padding=(0, between, 0, 0))
    for heading in rows[0]:
        table.add_column(heading, overflow="fold")
    for row in rows[1:]:
        table.add_row(*row)
    with (console := Console(width=width, color_system=None, markup=False)).capture() as made:
        console.print(table)
    return "\n".join(line.rstrip() for line in made.get().rstrip().split("\n"))


def filled(template: str, **values: Any) -> str:
    """Return the text that a template below `operations/` makes of values."""
    from jinja2 import Template  # few commands need it

    text = (paths.ROOT / "operations" / template).read_text(encoding="utf-8")
    return str(Template(text, trim_blocks=True, lstrip_blocks=True).render(**values)).rstrip()
