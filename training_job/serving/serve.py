"""Entry point of a serving container: `python code/serve.py serve`."""

import sys

from serving.server import run

USAGE = "usage: python code/serve.py serve   (SageMaker starts a serving container with this one argument)"


def main(arguments: list[str]) -> int:
    """The process's exit status."""
    if arguments != ["serve"]:
        sys.stderr.write(USAGE + "\n")
        return 2
    return run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
