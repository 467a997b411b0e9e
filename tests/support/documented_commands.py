"""The commands that the documents show, and the marks of those that no test can run.

A command is a line of a `bash` block, or a `make …` or `python …` in backticks. What stands for several commands, with
a `…` or a `<name>` in it, is none. A page marks what no test runs:

- a block, behind its language: ```` ```bash aws ````
- a command in backticks, with a comment anywhere on the page: `<!-- not run, takes long: `make this`, `make that` -->`.
  A command with `ENV=` needs no mark: it is for AWS.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
REASONS = {
    "needs AWS": "there is no account",
    "needs Docker": "there is none here",
    "needs Java": "the stock serving stack is installed by the benchmark itself",
    "needs Python 3.13": "only where it is installed",
    "takes long": "its short form, or what it calls, has tests",
    "changes the lock": "it asks the package index what is newest today",
    "asks the world": "its services cannot be reached here; a test has its own",
    "installs": "into the reader's environment; the tests do it in one of their own",
    "serves until stopped": "the tests start it themselves, on a port of their own",
    "compares with the last commit": "which may differ, and which a shallow clone does not hold",
}
"""Why no test runs a command: the only reasons that a page can give."""
NOT_HERE = {"test", "test-fast", "test-nightly", "clean", "down", "up", "deploy"}
"""Targets that would end, remove or recurse into what runs the tests, or train for minutes: other tests prove them."""
_INLINE = re.compile(r"`((?:[A-Z_]+=\S+ )*(?:make|python|\.venv/bin/python|docker|pip) [^`]+)`")
MARK = re.compile(r"<!-- not run,\s([^:]+):\s(.*?)\s-->", re.DOTALL)
_FORM = re.compile(r"…|<[a-z]+>")
_AWS = re.compile(r"\bENV=")
_OTHERS = ("docs/decisions/", "docs/benchmarks/", "client/", "CHANGELOG.md", "training_job/")
"""Dated records, and the client's README, which tests/integration runs as a whole."""


@dataclass(frozen=True)
class Page:
    """The commands of one document.

    Attributes:
        commands: those that some test has to run.
        marked: command → reason why none does.
        shown: all commands in it, marked or not.
    """

    name: str
    commands: frozenset[str]
    marked: dict[str, str]
    shown: frozenset[str]


def pages() -> list[Page]:
    """Return every document of the project that shows commands to copy."""
    names = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in names.split() if not name.startswith(_OTHERS)}
    return [page(name, text) for name, text in texts.items()]


def page(name: str, text: str) -> Page:
    """Return the commands of a document with this text."""
    marked = {
        command: " ".join(reason.split()) for reason, listed in MARK.findall(text) for command in _commands(listed)
    }
    shown: set[str] = set(_commands(MARK.sub("", FENCE.sub("", text))))
    for language, mark, body in FENCE.findall(text):
        lines = {line for line in body.splitlines() if line.strip()} if language == "bash" else set()
        shown |= lines
        if mark.strip():
            reason = "needs AWS" if mark.strip() == "aws" else mark.strip()
            marked |= dict.fromkeys(lines, reason)
    to_run = {command for command in shown if command not in marked and not _AWS.search(command)}
    return Page(name, frozenset(to_run), marked, frozenset(shown))


def target(command: str) -> str:
    """Return the target of a `make` command; nothing for any other command."""
    found = re.match(r"(?:[A-Z_]+=\S+ )*make ([a-z-]+)", command)
    return found[1] if found else ""


def _commands(text: str) -> list[str]:
    found = [" ".join(command.split()) for command in _INLINE.findall(text)]
    return [command for command in found if _AWS.search(command) or not _FORM.search(command)]
