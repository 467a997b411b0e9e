"""The real CDK command line: against the local cloud, or only to synthesise."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from operations import paths
from operations.deployment import LOCAL_ENV, Deployment
from operations.errors import DeploymentFailed

OnLine = Callable[[str], None]


def run(
    arguments: Sequence[str],
    *,
    env: str = LOCAL_ENV,
    deployment: Deployment | None = None,
    output: Path = paths.CDK_OUT,
    on_line: OnLine = lambda line: None,
) -> str:
    """Run one `cdk` command.

    Args:
        arguments: sub-command and options, for example `["deploy", "--all"]`.
        env: environment of cdk.json.
        deployment: the local cloud it talks to; None where it only synthesises.
        output: folder of the cloud assembly.
        on_line: called with every line it prints, as it comes.

    Returns:
        Everything it printed.

    Raises:
        DeploymentFailed: with the last lines, where it ended with an error.
    """
    paths.HOME.mkdir(parents=True, exist_ok=True)
    command = [
        str(paths.CDK),
        *arguments,
        "--app",
        f"{paths.PYTHON} app.py",
        "--output",
        str(output),
        "-c",
        f"env={env}",
        *_context(),
        "--no-notices",
        "--no-color",
    ]
    printed: list[str] = []
    with subprocess.Popen(
        command,
        cwd=paths.ROOT,
        env=_variables(deployment),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            for line in process.stdout or ():
                printed.append(line)
                on_line(line.rstrip())
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise DeploymentFailed(
            f"`cdk {' '.join(arguments)}` failed:\n{''.join(printed[-25:])}",
            hint="mend what it names and run it again; `make logs` shows the cloud's side",
        )
    return "".join(printed)


def _context() -> list[str]:
    """Options for the configuration's values that the variable CONTEXT overrides: ``serving.container=slim …``."""
    return [part for value in os.environ.get("CONTEXT", "").split() for part in ("-c", value)]


def _variables(deployment: Deployment | None) -> dict[str, str]:
    """Environment in which `cdk` talks to nobody else and leaves nothing in the user's home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    variables = {
        **kept,
        "PATH": f"{paths.PYTHON.parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(paths.HOME),
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "1",
    }
    if deployment is not None:
        credentials = deployment.session.get_credentials()
        variables |= {
            "AWS_ENDPOINT_URL": deployment.endpoint_url or "",
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "AWS_REGION": deployment.session.region_name,
            "AWS_DEFAULT_REGION": deployment.session.region_name,
        }
    return variables


def bootstrap(deployment: Deployment, on_line: OnLine = lambda line: None) -> None:
    """Create CDK's own bucket and roles, where they are missing."""
    account = deployment.client("sts").get_caller_identity()["Account"]
    run(["bootstrap", f"aws://{account}/{deployment.session.region_name}"], deployment=deployment, on_line=on_line)


def deploy(deployment: Deployment, on_line: OnLine = lambda line: None) -> None:
    """Deploy all stacks. Parameters keep their previous values, so a deployment never changes the champion."""
    run(
        ["deploy", "--all", "--require-approval", "never", "--progress", "events"],
        deployment=deployment,
        on_line=on_line,
    )
