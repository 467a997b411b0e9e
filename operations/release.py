"""Release a model package: set the serving stack's one parameter and wait until the endpoint answers with it.

CloudFormation owns the endpoint. A release is UpdateStack with the previous template and only ModelPackageArn changed;
where the new endpoint does not come up, CloudFormation goes back to the champion by itself.
"""

from __future__ import annotations

import time

from botocore.exceptions import ClientError

from operations import command
from operations.deployment import Deployment, connect, stack_name
from operations.errors import NotDeployed, OperationError, ReleaseFailed

POLL_SECONDS = 1.0
TIMEOUT_SECONDS = 30 * 60  # a serverless endpoint goes InService in minutes, ten and more were seen
BUSY = "_IN_PROGRESS"


def release(deployment: Deployment, package_arn: str) -> bool:
    """Make `package_arn` the champion.

    Args:
        deployment: where.
        package_arn: a model package's ARN; empty returns to the configured hub model, or to no endpoint.

    Returns:
        False where it already was the champion, so that nothing was done.

    Raises:
        NotDeployed: there is no serving stack.
        ReleaseFailed: the endpoint did not come up; the champion serves as before.
    """
    stack = deployment.stack("serving")
    if stack is None:
        raise NotDeployed(f"Environment '{deployment.env}' has no serving stack.", hint="make up, or cdk deploy")
    if deployment.released_package == package_arn:
        return False
    if stack["StackStatus"].endswith(BUSY):
        raise ReleaseFailed(f"The serving stack is busy ({stack['StackStatus']}); nothing was changed.",
                            hint="wait for the running deployment or release to end, then release again")
    cloudformation = deployment.client("cloudformation")
    others = [{"ParameterKey": p["ParameterKey"], "UsePreviousValue": True} for p in stack.get("Parameters", [])
              if p["ParameterKey"] != "ModelPackageArn"]
    try:
        cloudformation.update_stack(
            StackName=stack_name(deployment.env, "serving"), UsePreviousTemplate=True,
            Parameters=[{"ParameterKey": "ModelPackageArn", "ParameterValue": package_arn}, *others])
    except ClientError as error:
        if "No updates are to be performed" in error.response["Error"].get("Message", ""):
            return False
        raise
    _wait(deployment, package_arn)
    return True


def _wait(deployment: Deployment, package_arn: str) -> None:
    """Wait for the stack to settle; raises ReleaseFailed with CloudFormation's reason where it rolled back."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        stack = deployment.stack("serving") or {}
        status = stack.get("StackStatus", "DELETED")
        if status.endswith(BUSY):
            continue
        if status in ("UPDATE_COMPLETE", "CREATE_COMPLETE") and deployment.released_package == package_arn:
            return
        raise ReleaseFailed(f"The release of {package_arn} failed ({status}): {_reason(deployment)}\n"
                            f"The champion serves as before: {deployment.released_package or 'none was released yet'}.",
                            hint="`make logs` shows what the new endpoint said; mend the model and train again")
    raise ReleaseFailed(f"The serving stack did not settle within {TIMEOUT_SECONDS // 60} minutes.",
                        hint="look at the stack's events; CloudFormation still works on it")


def _reason(deployment: Deployment) -> str:
    """The newest failure reason among the serving stack's events."""
    events = deployment.client("cloudformation").describe_stack_events(StackName=stack_name(deployment.env, "serving"))
    reasons = (e.get("ResourceStatusReason", "") for e in events["StackEvents"]
               if e["ResourceStatus"].endswith("FAILED"))
    return next((reason for reason in reasons if reason and "cancelled" not in reason), "no reason given")


def main() -> int:
    """Release the package given on the command line."""
    parser = command.parser(__doc__)
    parser.add_argument("package", help="ARN of the model package, or its version number in this environment's group")
    arguments = parser.parse_args()
    deployment = connect(arguments.env)
    done = release(deployment, package_arn(deployment, arguments.package))
    command.say(f"{'Released' if done else 'Already serving'}: model version {deployment.model_version}")
    return 0


def package_arn(deployment: Deployment, given: str) -> str:
    """The ARN of a package given as an ARN or as a version number.

    Raises:
        OperationError: it is neither, or there is no such package.
    """
    group = deployment.output("ModelPackageGroup")
    pages = deployment.client("sagemaker").get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    known = {str(package["ModelPackageVersion"]): package["ModelPackageArn"]
             for page in pages for package in page["ModelPackageSummaryList"]}
    if given in known.values():
        return given
    if given not in known:
        raise OperationError(f"There is no model package '{given}' in group {group}; its versions: "
                             f"{', '.join(sorted(known, key=int)) or 'none'}.", hint="make train creates one")
    return known[given]


if __name__ == "__main__":
    command.run(main, "CloudFormation goes on with the release; `make status` shows what serves.")
