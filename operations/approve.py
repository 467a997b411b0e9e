"""Approve a model package, which releases it: the call that the console makes on *Approve*.

What the gate said about the package is shown first; the release that the approval starts is followed to its end.
"""

from __future__ import annotations

from operations import command, registry, release
from operations.deployment import Deployment, connect

DESCRIPTION = "Approved with make approve"


def approve(deployment: Deployment, given: str) -> str:
    """Approve a package (ARN or version number) and follow its release; answers the release's outcome.

    Raises:
        OperationError: there is no such package.
        ReleaseFailed: it did not go into service; the champion serves.
    """
    package = registry.package(deployment, given)
    command.say(f"Model version {package.version}: {package.status}. {package.reason}")
    if package.status == registry.APPROVED:
        execution = release.start(deployment, package.arn)  # nothing changes, so no event would come
    else:
        known = release.all_known(deployment)
        deployment.client("sagemaker").update_model_package(
            ModelPackageArn=package.arn, ModelApprovalStatus=registry.APPROVED, ApprovalDescription=DESCRIPTION
        )
        execution = release.started_for(deployment, package.arn, known)
    return release.follow(deployment, execution)


def main() -> int:
    """Approve the package given on the command line."""
    parser = command.parser(__doc__)
    parser.add_argument("package", help="version number or ARN of the model package; make releases lists them")
    arguments = parser.parse_args()
    deployment = connect(arguments.env)
    outcome = approve(deployment, arguments.package)
    release.tell(deployment, outcome)
    return 0


if __name__ == "__main__":
    command.run(main, "The release goes on; `make releases` shows what serves.")
