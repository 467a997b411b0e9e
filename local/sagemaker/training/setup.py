"""What a training script needs besides its data: an environment, and a word about requirements that are not met."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from local.sagemaker.common.hooks import HookError
from local.sagemaker.common.scope import Scope
from local.sagemaker.common.settings import ImageRule
from local.sagemaker.processes.child_environment import aws_environment, base_environment
from local.sagemaker.processes.child_process import ChildProcess
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record
from local.sagemaker.training import container as training_container
from local.sagemaker.training import hosts as training_hosts
from local.sagemaker.training.container import ContractError, JobFolder

_REQUIREMENTS_SECONDS = 60.0
_REQUIREMENTS_CHECK = Path(__file__).with_name("requirements_check.py")


def build_environment(
    context: Context, scope: Scope, job: Record, folder: JobFolder, rule: ImageRule, note: Callable[[str], None]
) -> dict[str, str]:
    """The variables of the script; the job's Environment wins over the image's, the contract's over both.

    Args:
        note: takes a line for the job's log, about what is different from AWS.

    Raises:
        ContractError: the role cannot be assumed.
    """
    try:
        credentials = context.hooks.credentials_for(job["RoleArn"])
    except HookError as error:
        raise ContractError(
            f"ClientError: Could not assume role {job['RoleArn']}. Please ensure that the role exists and allows "
            f"principal 'sagemaker.amazonaws.com' to assume the role. ({error})"
        ) from error
    aws = aws_environment(context.settings, credentials, scope.region)
    if job.get("EnableNetworkIsolation"):
        aws = {}
        note("EnableNetworkIsolation: no AWS credentials are given; the network itself stays reachable.")
    if (count := training_hosts.instance_count(job)) > 1:
        note(f"InstanceCount is {count}: the instances are {count} processes on this one machine.")
    program, source = training_container.entry_point(job)
    return {
        **base_environment(context.settings, rule, home=folder.home),
        **training_hosts.variables(job),
        **aws,
        **job.get("Environment", {}),
        **training_container.contract_variables(job, folder, program, source),
    }


def unmet_requirements(rule: ImageRule, folder: JobFolder, environment: dict[str, str]) -> list[str]:
    """Lines of the code's requirements.txt that the image's interpreter does not satisfy (nothing is installed)."""
    requirements = folder.code / "requirements.txt"
    if not requirements.is_file():
        return []
    lines: list[str] = []
    child = ChildProcess(
        [rule.python, "-I", str(_REQUIREMENTS_CHECK), str(requirements)],
        cwd=folder.code,
        environment=environment,
        on_line=lines.append,
    )
    if child.wait(_REQUIREMENTS_SECONDS) is None:
        child.stop(0)
    return [line for line in lines if line.strip()]
