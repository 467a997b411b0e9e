"""The real CDK command line: against the local cloud, against AWS, or only to synthesise."""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from operations import paths
from operations.aws.deployment import LOCAL_ENV, Deployment
from operations.errors import OperationError


def run(
    arguments: Sequence[str],
    *,
    env: str = LOCAL_ENV,
    deployment: Deployment | None = None,
    output: Path | None = paths.CDK_OUT,
    show: Callable[[str], object] = lambda line: True,
) -> None:
    """Run one `cdk` command, such as `["deploy", "--all"]`, and call `show` with every line that it prints.

    Where it fails, the error holds the last of those lines that `show` hid, for which it was true.

    `deployment`: what it talks to; None where it only synthesises. `output`: folder of the cloud assembly;
    None where the app is not needed: cdk synthesises it for every command that knows of it.
    """
    paths.HOME.mkdir(parents=True, exist_ok=True)
    options = ["--no-notices", "--no-color"]
    if output:
        # CONTEXT overrides values of the configuration: "serving.container=slim serving.kind=instances".
        context = [f"env={env}", *os.environ.get("CONTEXT", "").split()]
        options += ["--app", f"{paths.PYTHON} app.py", "--output", str(output)]
        options += [word for value in context for word in ("-c", value)]
    hidden: list[str] = []
    with subprocess.Popen(
        [str(paths.CDK), *arguments, *options],
        cwd=paths.ROOT if output else paths.HOME,  # cdk.json names the app, too
        env=_variables(deployment),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            hidden.extend(line for line in process.stdout or () if show(line.rstrip()))
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise OperationError(
            f"`cdk {' '.join(arguments)}` failed:\n{''.join(hidden[-25:])}".rstrip(":\n"),
            hint="fix what it names and run it again; `make logs` shows the cloud's side",
        )


def _variables(deployment: Deployment | None) -> dict[str, str]:
    """Return an environment in which `cdk` finds our Python and node. On AWS it has the user's credentials.

    Elsewhere it talks to nobody else and leaves nothing in the user's home.
    """
    common = {
        "PATH": f"{paths.PYTHON.parent}{os.pathsep}{os.environ['PATH']}",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "1",
    }
    if deployment and deployment.endpoint_url is None:
        return {**os.environ, **common}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    alone = {"HOME": str(paths.HOME), "AWS_EC2_METADATA_DISABLED": "true"}
    # AWS's rules for templates take half of a synthesis: they are for what goes to AWS, for `make synth` and the tests.
    local = {"CDK_VALIDATION": "false", **deployment.variables} if deployment else {}
    return {**kept, **common, **alone, **local}
