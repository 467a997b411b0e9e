"""The image's entry point: `python -I -S /opt/server serve`."""

import gc
import os
import sys

# numpy reads it on import: otherwise its matrix library keeps a thread and a buffer for every core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Loading allocates nothing that becomes garbage; the server enables the collector when it begins to serve.
gc.disable()
# asyncio would load OpenSSL, which takes a tenth of the start; inside a container nobody uses TLS.
sys.modules["ssl"] = None  # type: ignore[assignment]

from serving.server.process import run  # noqa: E402

USAGE = "usage: python -I -S <this folder> serve   (SageMaker starts a serving container with this one argument)"


def main(arguments: list[str]) -> int:
    """Return the exit status: 0 stopped, 1 cannot start (the last log line has the reason), 2 wrong arguments."""
    if arguments != ["serve"]:
        sys.stderr.write(USAGE + "\n")
        return 2
    return run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
