"""Go back to the model that served before, or to any approved package: start the release workflow with its ARN."""

from __future__ import annotations

from operations import command, registry, release
from operations.deployment import Deployment, connect


def roll_back(deployment: Deployment, given: str) -> str:
    """Release an older package and follow that; answers the release's outcome.

    Args:
        given: version number or ARN; empty for the package that served before the champion.

    Raises:
        OperationError: there is no such package, or nothing to go back to.
        ReleaseFailed: it did not go into service; the champion serves.
    """
    package = registry.package(deployment, given) if given else registry.previous(deployment)
    command.say(f"From model version {deployment.model_version or 'none'} to {package.version}")
    return release.follow(deployment, release.start(deployment, package.arn))


def main() -> int:
    """Roll back to the package given on the command line, or to the one before."""
    parser = command.parser(__doc__)
    parser.add_argument(
        "package", nargs="?", default="", help="version number or ARN; left out: the package that served before"
    )
    arguments = parser.parse_args()
    deployment = connect(arguments.env)
    outcome = roll_back(deployment, arguments.package)
    release.tell(deployment, outcome)
    return 0


if __name__ == "__main__":
    command.run(main, "The release goes on; `make releases` shows what serves.")
