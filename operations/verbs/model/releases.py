"""The model packages: list them, fetch their reports, release them."""

import argparse
import json
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from operations import paths
from operations.aws import registry
from operations.aws import releases as workflow
from operations.aws.deployment import Deployment, connect
from operations.aws.registry import Package
from operations.console import Answer, in_columns, say
from operations.errors import OperationError
from operations.verbs.deployment import status

HEADINGS = ("", "v", "approval", "gate", "accuracy (95 %)", "F1 (95 %)", "change to", "made", "served")
SERVES = "*"
DESCRIPTION = "Approved with make approve"
INTERRUPTED = "A release that was started goes on; `make releases` shows what serves."


def releases(arguments: argparse.Namespace) -> Answer:
    """List the model packages: verdict, figures on the test sentences, and which one serves.

    The intervals are the 95 % intervals of the gate.
    For example: make releases PACKAGE=3, python -m operations releases --json
    """
    deployment = connect(arguments.env)
    champion = deployment.released_package
    if arguments.package:
        package = registry.package(deployment, arguments.package)
        story = f"{package.arn}\n{package.status_and_reason}\n{json.dumps(package.metadata, indent=2)}"
        return Answer(_document(package, champion), story, whole=True)
    found = registry.packages(deployment)
    commands = (
        f"{SERVES} is released: {deployment.ask_model()[1]}. make releases PACKAGE=n tells why; make report PACKAGE=n "
        "fetches its report; make approve PACKAGE=n releases; make rollback goes back."
    )
    return Answer(
        [_document(package, champion) for package in found],
        f"{table(found, champion)}\n\n{commands}" if found else "There is no model package yet. Next step: make train",
    )


def report(arguments: argparse.Namespace) -> Answer:
    """Fetch the evaluation report of a model package: one HTML file to open in a browser.

    For example: make report PACKAGE=3
    """
    deployment = connect(arguments.env)
    package = registry.package(deployment, arguments.package or "")
    address = urlsplit(package.metadata.get("report", ""))
    if address.scheme != "s3":
        raise OperationError(
            f"Model version {package.version} has no report: it was registered without the gate.",
            hint="start the workflow with its training job: make train TRAINING_JOB=name",
        )
    file = paths.LOCAL / "reports" / f"{deployment.env}-{package.version}.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    deployment.client("s3").download_file(address.netloc, address.path.lstrip("/"), str(file))
    return Answer({"version": package.version, "file": str(file)}, file.as_uri())


def approve(arguments: argparse.Namespace) -> Answer:
    """Approve a model package, which releases it: the call that the console makes on *Approve*.

    What the gate said about the package is shown first; the release is followed to its end.
    For example: make approve PACKAGE=3
    """
    deployment = connect(arguments.env)
    package = registry.package(deployment, arguments.package)
    say(f"Model version {package.version}: {package.status_and_reason}")
    if package.status == registry.APPROVED:  # nothing changes: no event would come
        return Answer(follow(deployment, workflow.start(deployment, package.arn)), "")
    known = workflow.all_known(deployment)
    deployment.client("sagemaker").update_model_package(
        ModelPackageArn=package.arn, ModelApprovalStatus=registry.APPROVED, ApprovalDescription=DESCRIPTION
    )
    return Answer(follow(deployment, workflow.started_for(deployment, package.arn, known)), "")


def rollback(arguments: argparse.Namespace) -> Answer:
    """Go back to the model that served before, or to any approved package, by starting the release workflow with it.

    For example: make rollback, make rollback PACKAGE=2
    """
    deployment = connect(arguments.env)
    given = arguments.package
    package = registry.package(deployment, given) if given else registry.previous(deployment)
    say(f"From model version {deployment.model_version or 'none'} to {package.version}")
    return Answer(follow(deployment, workflow.start(deployment, package.arn)), "")


def follow(deployment: Deployment, execution: str) -> dict[str, Any]:
    """Follow a release; say and return its outcome and which model answers then. status.json gets the model too."""
    outcome = workflow.follow(deployment, execution)
    facts = status.write(deployment)
    say(f"{outcome}: model {facts['model']}")
    return {"outcome": outcome, "model_version": facts["model_version"]}


def table(packages: list[Package], champion: str) -> str:
    """Return the packages under HEADINGS, in columns."""
    return in_columns([HEADINGS, *(_row(package, champion) for package in packages)])


def _row(package: Package, champion: str) -> tuple[str, ...]:
    known = package.metadata
    compared = "-"
    if known.get("difference"):
        compared = f"{float(known['difference']):+.3f} v{known.get('compared_with', '?')}"
    return (
        SERVES if package.arn == champion else "",
        str(package.version),
        package.status.removesuffix("ManualApproval"),
        known.get("verdict", "-"),
        _interval(known, "accuracy"),
        _interval(known, "f1"),
        compared,
        f"{package.created:%Y-%m-%d %H:%M}",
        package.released_at.replace("T", " ")[:16] or known.get("release", "-"),
    )


def _interval(known: dict[str, str], figure: str) -> str:
    """Return `0.868 (.846-.888)`, or `-` where the gate has not measured it."""
    value, low, high = (f"{float(known.get(f'{figure}{end}', 'nan')):.3f}" for end in ("", "_low", "_high"))
    return "-" if value == "nan" else f"{value} ({low.lstrip('0')}-{high.lstrip('0')})"


def _document(package: Package, champion: str) -> dict[str, Any]:
    return {**asdict(package), "created": package.created.isoformat(), "serves": package.arn == champion}
