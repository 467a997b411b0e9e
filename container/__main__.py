"""What the image starts: `python -I -S /opt/server serve`."""

import gc
import os
import sys

# Read once, when numpy is imported: its matrix library would otherwise keep a thread and a buffer for every core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Nothing that a start allocates becomes garbage; the server turns the collector on when it begins to serve.
gc.disable()
# asyncio would load OpenSSL, a tenth of the start, and nobody speaks TLS to a server inside a container.
sys.modules["ssl"] = None  # type: ignore[assignment]

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
