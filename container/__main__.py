"""What the image starts: `python -I -S /opt/server serve`."""

import os
import sys

# Read once, when numpy is imported: its matrix library would otherwise keep a thread and a buffer for every core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from serving.server.process import run  # noqa: E402

USAGE = "usage: python -I -S <this folder> serve   (SageMaker starts a serving container with this one argument)"


def main(arguments: list[str]) -> int:
    """The process's exit status: 0 stopped, 1 cannot start (the reason is the last log line), 2 wrong arguments."""
    if arguments != ["serve"]:
        sys.stderr.write(USAGE + "\n")
        return 2
    return run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
