"""Run any `cdk` command against the local cloud, for example diff, list, or destroy --all --force."""

from __future__ import annotations

import argparse

from operations import cdk, command
from operations.deployment import LOCAL_ENV, connect


def main() -> int:
    """Pass the arguments on to `cdk` and show what it prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="sub-command and options of cdk")
    cdk.run(parser.parse_args().arguments, deployment=connect(LOCAL_ENV), on_line=command.say)
    return 0


if __name__ == "__main__":
    command.run(main)
