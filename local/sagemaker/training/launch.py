"""How a training script is started: its command, its environment, and a check of its requirements."""

import sys
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
from local.sagemaker.training import hyperparameters
from local.sagemaker.training.container import JobFolder, contract_variables, entry_point, instance_hosts, uses_torchrun

_REQUIREMENTS_SECONDS = 60.0
_REQUIREMENTS_CHECK = Path(__file__).with_name("requirements_check.py")
_WORKER = Path(__file__).with_name("worker.py")
_LOOPBACK = "lo" if sys.platform == "linux" else "lo0"


def command(job: Record, rule: ImageRule, folder: JobFolder, environment: Mapping[str, str]) -> Command:
    """Return the command of the script; torchrun starts it where the job asks for that."""
    program, _ = entry_point(job)
    script, _ = hyperparameters.of(job)
    launcher = [rule.python]
    if uses_torchrun(job):
        processes = ["--nnodes", "1", "--nproc-per-node", str(len(instance_hosts(job)))]
        # Standalone: on any free port. On AWS each instance is a machine, and the port is always the same.
        torchrun = ["-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1", *processes]
        launcher = [rule.python, *torchrun, "--no-python", rule.python, str(_WORKER)]
    return Command([*launcher, program, *hyperparameters.arguments(script)], folder.code, environment)


def build_environment(
    context: Context, scope: Scope, job: Record, folder: JobFolder, rule: ImageRule, log: LogStream
) -> dict[str, str]:
    """Return the variables of the script, and log how it is treated differently from AWS.

    The job's Environment takes precedence over the image's, and the contract over both. Raises FailedError when the
    role cannot be assumed.
    """
    try:
        aws = role_environment(context, job["RoleArn"], scope.region)
    except FailedError as error:
        raise FailedError(f"ClientError: {error}") from error
    if job.get("EnableNetworkIsolation"):
        aws = {}
        log.note("EnableNetworkIsolation: the script gets no AWS credentials; the network stays reachable.")
    if (count := len(instance_hosts(job))) > 1:
        log.note(f"InstanceCount is {count}: the instances are {count} processes on this machine.")
    torchrun = {}
    if uses_torchrun(job):
        # The processes talk over the loopback interface and share the processors.
        threads = max(1, cpu_count() // count)
        torchrun = {"GLOO_SOCKET_IFNAME": _LOOPBACK, "OMP_NUM_THREADS": str(threads)}
    return {
        **base_environment(context.settings, rule, home=folder.home),
        **torchrun,
        **aws,
        **job.get("Environment", {}),
        **contract_variables(job, folder),
    }


def unmet_requirements(rule: ImageRule, folder: JobFolder, environment: Mapping[str, str]) -> list[str]:
    """Return the lines of the code's requirements.txt that the image's interpreter does not meet."""
    requirements = folder.code / "requirements.txt"
    if not requirements.is_file():
        return []
    lines: list[str] = []
    words = [rule.python, "-I", str(_REQUIREMENTS_CHECK), str(requirements)]
    child = ChildProcess(Command(words, folder.code, environment), lines.append)
    if child.wait(_REQUIREMENTS_SECONDS) is None:
        child.stop(0)
    return [line for line in lines if line.strip()]
