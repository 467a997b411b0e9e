"""Run one step: `python -m bulk BASE prepare|join`. Its result, or what is wrong, becomes the job's message."""

import json
import sys
import traceback
from pathlib import Path

from bulk.join import join
from bulk.prepare import prepare
from tables import TableError

_MESSAGE_BYTES = 1000  # SageMaker keeps 1,024


def main(base: Path, step: str) -> int:
    """Run a step below `base` and return the exit code. Neither log nor message holds what stands in a file."""
    try:
        said, code = json.dumps((prepare if step == "prepare" else join)(base)), 0
    except TableError as error:
        room = _MESSAGE_BYTES - len(f" {error.hint}".encode())  # the next step is never cut off
        said, code = f"{error.message.encode()[:room].decode(errors='ignore')} {error.hint}", 1
    except Exception as error:  # its message may quote a row
        print("".join(traceback.format_tb(error.__traceback__)), flush=True)
        said, code = f"{type(error).__name__}: the job's log says where. This is a fault of the product.", 1
    message = base.parent / "output" / "message"
    message.parent.mkdir(parents=True, exist_ok=True)
    message.write_text(said, encoding="utf-8")
    print(said)
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
