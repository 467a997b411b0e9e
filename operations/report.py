"""Fetch the evaluation report of a model package: one HTML file to open in a browser."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from operations import command, paths, registry
from operations.deployment import Deployment, connect
from operations.errors import OperationError


def fetch(deployment: Deployment, given: str) -> Path:
    """Download a package's report; answers the file.

    Args:
        given: version number or ARN; empty for the package registered last.

    Raises:
        OperationError: there is no such package, or it has no report.
    """
    known = registry.packages(deployment)
    if not given and not known:
        raise OperationError("There is no model package yet.", hint="make train")
    package = registry.package(deployment, given) if given else known[-1]
    address = package.metadata.get("report", "")
    if not address.startswith("s3://"):
        raise OperationError(
            f"Model version {package.version} has no report: it was registered without the gate.",
            hint="start the workflow with its training job: make train TRAINING_JOB=name",
        )
    found = urlsplit(address)
    file = paths.LOCAL / "reports" / f"{deployment.env}-{package.version}.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    deployment.client("s3").download_file(found.netloc, found.path.lstrip("/"), str(file))
    return file


def main() -> int:
    """Fetch the report of the package given on the command line and say where it lies."""
    parser = command.parser(__doc__)
    parser.add_argument("package", nargs="?", default="", help="version number or ARN; left out: the newest")
    arguments = parser.parse_args()
    command.say(fetch(connect(arguments.env), arguments.package).as_uri())
    return 0


if __name__ == "__main__":
    command.run(main)
