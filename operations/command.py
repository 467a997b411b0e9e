"""How every command of this folder begins and ends: arguments, one-line errors, exit codes."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from operations import paths
from operations.errors import OperationError
from text_classifier import TextClassifierError

FAILED, INTERRUPTED = 1, 130


def parser(description: str | None) -> argparse.ArgumentParser:
    """An argument parser with the one option that every command has: the environment it works on."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument(
        "--env",
        default=os.environ.get("ENV", "local"),
        help="environment of cdk.json: local (the local cloud), dev or prod (AWS). Default: %(default)s",
    )
    return made


def run(main: Callable[[], int | None], interrupted: str = "") -> None:
    """Run a command's `main` and exit: 0 done, 1 with what failed and the next step, 130 on Ctrl-C.

    Args:
        main: does the work; its return value, if any, is the exit code.
        interrupted: what a person should know after Ctrl-C (what goes on, how to continue).
    """
    # Node, jsii and torch leave caches in the scratch folder; they stay in the project's own.
    paths.SCRATCH.mkdir(parents=True, exist_ok=True)
    os.environ["TMPDIR"] = str(paths.SCRATCH)
    try:
        sys.exit(main() or 0)
    except (OperationError, TextClassifierError) as error:
        print(f"\nError: {error.message}\nNext step: {error.hint}", file=sys.stderr)
        sys.exit(FAILED)
    except ClientError as error:
        print(
            f"\nError: AWS answered {error.response['Error'].get('Code')} to {error.operation_name}: "
            f"{error.response['Error'].get('Message')}\nNext step: check that these credentials may do that.",
            file=sys.stderr,
        )
        sys.exit(FAILED)
    except BotoCoreError as error:
        print(
            f"\nError: {error}\nNext step: for the local cloud, `make status`; for AWS, check credentials and region.",
            file=sys.stderr,
        )
        sys.exit(FAILED)
    except KeyboardInterrupt:
        print(f"\nInterrupted. {interrupted}".rstrip(), file=sys.stderr)
        sys.exit(INTERRUPTED)


class Phases:
    """Numbered headings with the time since the start.

    Args:
        count: how many phases there will be.
    """

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
    """Print one line of progress at once, also into a pipe."""
    print(text, flush=True)
