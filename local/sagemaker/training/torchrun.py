"""Stands for torchrun where the toolkit starts it: on the first of a job's instances. A script: `python torchrun.py …`.

On AWS each instance runs it. Here it starts the processes of all of them on this machine, on any free port. Every
instance has folders of its own, as on AWS: what the others write is not there.
"""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

_WORKER = Path(__file__).with_name("worker.py")


def launcher(arguments: list[str], base: Path) -> list[str]:
    """Make the other instances' folders, and return the command that the toolkit's `torchrun` command becomes."""
    parser = argparse.ArgumentParser(prog="torchrun", allow_abbrev=False)
    for number in ("--nnodes", "--nproc_per_node"):
        parser.add_argument(number, type=int, default=1)
    for of_several_machines in ("--master_addr", "--master_port", "--node_rank"):
        parser.add_argument(of_several_machines)
    parser.add_argument("script", nargs=argparse.REMAINDER)
    asked = parser.parse_args(arguments)
    for host in (f"algo-{number}" for number in range(2, asked.nnodes + 1)):
        instance_folder(base, host)
    processes = ["--nnodes", "1", "--nproc-per-node", str(asked.nnodes * asked.nproc_per_node)]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1", *processes]
    worker = [sys.executable, str(_WORKER), str(asked.nproc_per_node)]
    return [sys.executable, *torchrun, "--no-python", *worker, *asked.script]


def instance_folder(base: Path, host: str) -> None:
    """Give an instance what SageMaker gives each: the code, the channels, the checkpoints of an earlier job."""
    own = base / "hosts" / host
    for name in ("code", "input", "checkpoints"):
        if (base / name).is_dir():
            shutil.copytree(base / name, own / name)
    for name in ("model", "output/data", "home"):
        (own / name).mkdir(parents=True)
    config = own / "input" / "config" / "resourceconfig.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"current_host": host}), encoding="utf-8")


if __name__ == "__main__":
    os.execv(sys.executable, launcher(sys.argv[1:], Path(os.environ["SAGEMAKER_BASE_DIR"])))
