"""Stop the local cloud with every training job and endpoint in it. Its state stays in .local/ until `make clean`."""

from __future__ import annotations

from operations import command, local_cloud


def main() -> int:
    """Stop the local cloud of this folder."""
    command.parser(__doc__).parse_args()
    command.say(
        "The local cloud is stopped; `make up` continues where it was."
        if local_cloud.stop()
        else "The local cloud was not running."
    )
    return 0


if __name__ == "__main__":
    command.run(main)
