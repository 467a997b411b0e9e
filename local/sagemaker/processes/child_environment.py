"""The environment of a child process: what the container would have, and nothing of the server's own."""

import os
from pathlib import Path

from local.sagemaker.common.errors import FailedError
from local.sagemaker.common.settings import ImageRule, Settings
from local.sagemaker.common.surroundings import SurroundingsError
from local.sagemaker.state.context import Context

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def base_environment(settings: Settings, rule: ImageRule, *, home: Path) -> dict[str, str]:
    """Return path, HOME and temporary folder of a child process, and the variables of the image map.

    Creates the temporary folder below `home`.
    """
    temporary = home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": f"{Path(rule.python).parent}:{_SYSTEM_PATH}",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "UTF-8",
        **settings.child_environment,
        **rule.environment,
    }


def role_environment(context: Context, role_arn: str, region: str) -> dict[str, str]:
    """Return the variables with which an AWS SDK in the child process calls the local cloud as the role.

    Raises FailedError when the role cannot be assumed.
    """
    try:
        credentials = context.surroundings.credentials_for(role_arn)
    except SurroundingsError as error:
        raise FailedError(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'sagemaker.amazonaws.com' to assume the role. ({error})"
        ) from error
    return {
        "AWS_ENDPOINT_URL": context.settings.endpoint_url,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        **credentials,
    }


def cpu_count() -> int:
    """Return the number of CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
