"""Destroy an environment whatever state it is in, and say what remains and whose it is."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from operations.aws import executions, inventory, releases, training
from operations.aws.deployment import Deployment
from operations.console import Answer, note, say
from operations.errors import OperationError
from operations.verbs.deployment.preflight import configured

INTERRUPTED = "CloudFormation goes on with the stack at hand; `make teardown` continues."
NEVER_DEPLOYED = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS")
DELETED = "DELETE_COMPLETE"
Stack = dict[str, Any]


def teardown(arguments: argparse.Namespace) -> Answer:
    """Destroy an environment whatever state it is in, then list what remains and whose it is.

    Executions are stopped, and updates under way are waited for. A protected stack, as those of prod are, needs the
    environment's name as an answer, or --yes. The exit code is 1 if a stack stays or something is left over.
    For example: make teardown ENV=dev ARGS=--dry-run, make teardown ENV=prod ARGS=--yes
    """
    deployment, config, account = configured(arguments.env)
    stacks = deployment.existing_stacks()[::-1]
    if arguments.failed:
        stacks = [stack for stack in stacks if stack["StackStatus"] in NEVER_DEPLOYED]
    before = "would be destroyed" if arguments.dry_run else "stays"
    outcome = dict.fromkeys((stack["StackName"] for stack in stacks), before)
    if not arguments.dry_run:
        if not arguments.failed:
            _confirm(stacks, f"{arguments.env} in account {account}, region {config.region}", arguments)
            _stop_executions(deployment)
            for stack in stacks:
                if not config.removable and stack["StackStatus"] != "DELETE_FAILED":  # noted before it failed
                    inventory.note_imports(deployment, stack["StackName"])
        outcome |= dict(_destroy(deployment, stacks, removable=config.removable))
    mine = inventory.owned(deployment)
    found = (*inventory.inventory(deployment), *inventory.surroundings(deployment))
    # What a stack still owns goes with it, unless it is kept.
    told = inventory.told(deployment, config, found)
    remains = [one for one in told if one.name not in mine or one.whose != inventory.LEFT_OVER]
    lines = [f"{status:40} {name}" for name, status in outcome.items()]
    lines += [f"{one.whose:40} {one.kind} {one.name}" for one in remains if one.whose != inventory.HISTORY]
    lines += [f"{inventory.HISTORY:40} {sum(one.whose == inventory.HISTORY for one in remains)} jobs"]
    steps = [(one.whose, one.next_step) for one in remains if one.next_step]
    stays = not arguments.dry_run and set(outcome.values()) - {DELETED}
    steps += [("what stays", "its events in CloudFormation say why; mend that, and repeat")] if stays else []
    lines += dict.fromkeys(f"Next step, {whose}: {step}" for whose, step in steps)
    left_over = not arguments.failed and any(one.whose == inventory.LEFT_OVER for one in remains)
    document = {"stacks": outcome, "remains": [one._asdict() for one in remains]}
    return Answer(document, "\n".join(lines), exit_code=int(bool(stays or left_over)))


def _confirm(stacks: Sequence[Stack], place: str, arguments: argparse.Namespace) -> None:
    protected = [stack["StackName"] for stack in stacks if stack["EnableTerminationProtection"]]
    if not protected or arguments.yes:
        return
    say(f"Termination protection keeps {', '.join(protected)} of {place}. Type {arguments.env} to destroy them all.")
    note("")  # for a person, who sees what they type
    if not sys.stdin.isatty() or sys.stdin.readline().strip() != arguments.env:  # empty after Ctrl-D
        hint = f"make teardown ENV={arguments.env} in a terminal, or with ARGS=--yes"
        raise OperationError("Nothing was destroyed: nobody confirmed it.", hint=hint)


def _stop_executions(deployment: Deployment) -> None:
    """Stop all workflows, and with them their jobs, so that nothing new comes up; delete the models that they leave."""
    for machine in filter(deployment.outputs.get, (training.MACHINE, releases.MACHINE, executions.BULK_MACHINE)):
        for execution in list(executions.newest(deployment, deployment.output(machine), executions.RUNNING)):
            say(f"  stopping {execution['name']}")
            deployment.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    for model in inventory.models_left(deployment):
        deployment.client("sagemaker").delete_model(ModelName=model)


def _destroy(deployment: Deployment, stacks: Sequence[Stack], *, removable: bool) -> Iterator[tuple[str, str]]:
    """Delete stacks in this order, up to the first that can't be: it may need the others. Yield names and statuses."""
    client = deployment.client("cloudformation")
    # A release leaves its own role with the serving stack, and that role goes first: CDK's role deletes them all.
    roles = [stack["RoleARN"] for stack in stacks if "RoleARN" in stack]
    role = {"RoleARN": roles[-1]} if roles else {}
    for stack in stacks:
        _settled(deployment, stack)
    for stack in stacks:
        say(f"  destroying {stack['StackName']}")
        if _settled(deployment, stack) != DELETED:
            client.update_termination_protection(StackName=stack["StackName"], EnableTerminationProtection=False)
            client.delete_stack(StackName=stack["StackId"], **role)
            if removable and _settled(deployment, stack) != DELETED:
                _empty_buckets(deployment, stack)
                client.delete_stack(StackName=stack["StackId"], **role)
        yield stack["StackName"], (status := _settled(deployment, stack))
        if status != DELETED:
            break


def _settled(deployment: Deployment, stack: Stack) -> str:
    """Wait until nothing changes the stack any more, as a release does for minutes; return its status."""
    while True:
        (found,) = deployment.client("cloudformation").describe_stacks(StackName=stack["StackId"])["Stacks"]
        status: str = found["StackStatus"]
        if not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS":
            return status
        time.sleep(executions.POLL_SECONDS)


def _empty_buckets(deployment: Deployment, stack: Stack) -> None:
    """Empty what could not be deleted: S3 delivers access logs for hours, after CDK's own function has emptied it."""
    s3 = deployment.session.resource("s3", endpoint_url=deployment.endpoint_url)
    for one in inventory.resources(deployment, stack["StackId"]):
        if (one["ResourceType"], one["ResourceStatus"]) == (inventory.BUCKET, "DELETE_FAILED"):
            s3.Bucket(one["PhysicalResourceId"]).object_versions.delete()
