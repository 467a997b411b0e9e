"""Run the client's command line in children that kill themselves at their n-th executed line of the client's code.

`python killed_at_line.py <arguments of text-classifier>` reads an n from each line of its standard input and answers
each with the child's status: -9 killed, else its exit code and the lines it executed. Importing takes place once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from itertools import count
from types import FrameType
from typing import Any

from text_classifier import cli

PACKAGE = os.path.dirname(cli.__file__)  # noqa: PTH120  asked for at every call


def run(arguments: list[str], line: int, executed: Any) -> int:
    """`text-classifier …`, killed at its `line`-th line."""

    def local(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line" and next(executed) >= line:
            os.kill(os.getpid(), signal.SIGKILL)
        return local

    def every(frame: FrameType, event: str, _: Any) -> Any:
        return local if frame.f_code.co_filename.startswith(PACKAGE) else None

    threading.settrace(every)
    sys.settrace(every)
    return cli.main(arguments)


def main() -> None:
    """Run one child after the other."""
    for wanted in sys.stdin:
        child = os.fork()
        if child == 0:
            executed = count()
            code = run(sys.argv[1:], int(wanted), executed)
            print(code, next(executed), flush=True)
            os._exit(code)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            print(-os.WTERMSIG(status), wanted.strip(), flush=True)


if __name__ == "__main__":
    main()
