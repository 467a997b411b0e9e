"""The environment of a child: nothing of the server's own, everything the container would have."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from local.sagemaker.common.settings import ImageRule, Settings

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def base_environment(settings: Settings, rule: ImageRule, *, home: Path) -> dict[str, str]:
    """What every child gets: a path, a home and a temporary folder of its own, and what the image map adds."""
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


def aws_environment(settings: Settings, credentials: Mapping[str, str], region: str) -> dict[str, str]:
    """What lets an AWS SDK in the child reach the local cloud, as the role and as nobody else."""
    return {
        "AWS_ENDPOINT_URL": settings.endpoint_url,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        **credentials,
    }


def cpu_count() -> int:
    """CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
