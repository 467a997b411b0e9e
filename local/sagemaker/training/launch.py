"""How a training image is started: its environment, and a check of the script's requirements."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from local.sagemaker.common.errors import FailedError
from local.sagemaker.common.names import Scope
from local.sagemaker.common.settings import ImageRule
from local.sagemaker.processes.child_environment import base_environment, cpu_count, role_environment
from local.sagemaker.processes.child_process import ChildProcess, Command
from local.sagemaker.processes.log_stream import LogStream
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record
from local.sagemaker.training.container import NETWORK_INTERFACE, JobFolder, instance_hosts, uses_torchrun

_REQUIREMENTS_SECONDS = 60.0
_TORCHRUN = Path(__file__).with_name("torchrun.py")
_LOCAL_MODE = {"SM_STUDIO_LOCAL_MODE": "true", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
"""Nobody resolves algo-1 here."""
_LACKING = ("ERROR: No matching", "Would install")


def build_environment(
    context: Context, scope: Scope, job: Record, folder: JobFolder, rule: ImageRule, log: LogStream
) -> dict[str, str]:
    """Return the variables that the toolkit starts with, and log how the job is treated differently from AWS.

    The job's Environment takes precedence over the image's, and SageMaker's own over both. Raises FailedError when the
    role cannot be assumed.
    """
    try:
        aws = role_environment(context, job["RoleArn"], scope.region)
    except FailedError as error:
        raise FailedError(f"ClientError: {error}") from error
    if job.get("EnableNetworkIsolation"):
        aws = {}
        log.note("EnableNetworkIsolation: the script gets no AWS credentials; the network stays reachable.")
    if job.get("VpcConfig"):
        log.note("VpcConfig is ignored: the script runs on this machine, and its network stays reachable.")
    if (count := len(instance_hosts(job))) > 1:
        log.note(f"InstanceCount is {count}: the instances are {count} processes on this machine.")
    torchrun = {}
    if uses_torchrun(job):
        # The processes talk over the loopback interface and share the processors.
        threads = max(1, cpu_count() // count)
        torchrun = {"GLOO_SOCKET_IFNAME": NETWORK_INTERFACE, "OMP_NUM_THREADS": str(threads)}
    image = base_environment(context.settings, rule, home=folder.home)
    variables = {**image, **torchrun, **aws, **_LOCAL_MODE, **job.get("Environment", {})}
    # The toolkit itself has to be found whatever the job says. It looks for torchrun on the PATH.
    paths = dict.fromkeys([variables.get("PYTHONPATH", ""), image.get("PYTHONPATH", "")])
    return variables | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PATH": os.pathsep.join([str(_torchrun(rule, folder)), variables["PATH"]]),
        "SAGEMAKER_BASE_DIR": str(folder.base),
        "TRAINING_JOB_NAME": job["TrainingJobName"],
        "TRAINING_JOB_ARN": job["TrainingJobArn"],
    }


def _torchrun(rule: ImageRule, folder: JobFolder) -> Path:
    """Put our torchrun into a folder of its own and return that folder."""
    start = folder.home / "bin" / "torchrun"
    start.parent.mkdir(parents=True, exist_ok=True)
    start.write_text(f'#!/bin/sh\nexec {shlex.quote(rule.python)} {shlex.quote(str(_TORCHRUN))} "$@"\n')
    start.chmod(0o755)
    return start.parent


def unmet_requirements(rule: ImageRule, folder: JobFolder, environment: Mapping[str, str]) -> list[str]:
    """Return what pip says of lines of the code's requirements.txt that the image's interpreter lacks.

    The toolkit's own pip then has nothing to install: the interpreter is the project's.
    """
    if not (folder.code / "requirements.txt").is_file():
        return []
    lines: list[str] = []
    words = [rule.python, "-I", "-m", "pip", "install", "--dry-run", "--no-index", "-r", "requirements.txt"]
    child = ChildProcess(Command(words, folder.code, environment), lines.append)
    if child.wait(_REQUIREMENTS_SECONDS) is None:
        child.stop(0)
    return [line.removeprefix("ERROR: ") for line in lines if line.startswith(_LACKING)]
