"""Stands for torchrun where the toolkit starts it: on the first of a job's instances. A script: `python torchrun.py …`.

On AWS each instance runs it. Here it starts the processes of all of them on this machine, on any free port.
"""

import argparse
import os
import sys
from pathlib import Path

_WORKER = Path(__file__).with_name("worker.py")


def launcher(arguments: list[str]) -> list[str]:
    """Return the command that the toolkit's `torchrun` command becomes."""
    parser = argparse.ArgumentParser(prog="torchrun", allow_abbrev=False)
    for number in ("--nnodes", "--nproc_per_node"):
        parser.add_argument(number, type=int, default=1)
    for of_several_machines in ("--master_addr", "--master_port", "--node_rank"):
        parser.add_argument(of_several_machines)
    parser.add_argument("script", nargs=argparse.REMAINDER)
    asked = parser.parse_args(arguments)
    processes = ["--nnodes", "1", "--nproc-per-node", str(asked.nnodes * asked.nproc_per_node)]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1", *processes]
    return [sys.executable, *torchrun, "--no-python", sys.executable, str(_WORKER), *asked.script]


if __name__ == "__main__":
    os.execv(sys.executable, launcher(sys.argv[1:]))
