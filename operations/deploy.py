"""Start the local cloud and deploy every stack to it with the real CDK command line; no training."""

from __future__ import annotations

import re

from operations import cdk, command, local_cloud, status
from operations.deployment import LOCAL_ENV, Deployment, connect

BOOTSTRAP_STACK = "CDKToolkit"


def deploy_locally(port: int, phases: command.Phases) -> Deployment:
    """Local cloud, bootstrap where missing, all stacks; answers the deployment.

    Raises:
        LocalCloudError: the port is taken, or the local cloud did not start.
        DeploymentFailed: `cdk` ended with an error.
    """
    phases.begin("Local cloud")
    chosen = local_cloud.start(port)
    deployment = connect(LOCAL_ENV)
    command.say(f"  {local_cloud.endpoint_url(chosen)}, state in .local/")

    phases.begin("Deploy the stacks with cdk")
    if not _bootstrapped(deployment):
        cdk.bootstrap(deployment, _milestone)
    cdk.deploy(deployment, _milestone)
    deployment = connect(LOCAL_ENV)  # its outputs are new
    if deployment.stack("image"):
        command.say("  slim serving image: none was built (no Docker here); its server runs from build/slim")
    status.write(deployment)
    return deployment


def _bootstrapped(deployment: Deployment) -> bool:
    summaries = deployment.client("cloudformation").list_stacks(
        StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE"]
    )["StackSummaries"]
    return any(summary["StackName"] == BOOTSTRAP_STACK for summary in summaries)


def _milestone(line: str) -> None:
    """Show of cdk's many lines those that say a stack is done."""
    # As a word, or as the end of a status: resources may be named after failures.
    if "✅" in line or re.search(r"\bfailed\b|_FAILED\b", line, re.IGNORECASE):
        command.say(f"  {line.strip()}")


def main() -> int:
    """Deploy on the port given and print what is there."""
    parser = command.parser(__doc__)
    local_cloud.add_port(parser)
    deployment = deploy_locally(parser.parse_args().port, command.Phases(2))
    command.say(f"Deployed. The API: {deployment.api_url}")
    return 0


if __name__ == "__main__":
    command.run(main, "The local cloud goes on; `make deploy` continues, `make down` stops it.")
