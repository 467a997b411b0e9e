"""Entry point: deletes the packages of a group on `Delete`; does nothing on `Create` and `Update`."""

from collections.abc import Callable
from typing import Any

from shared import custom_resource


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer one request of CloudFormation."""
    import boto3

    respond(event, context.log_stream_name, boto3.client("sagemaker"))


def respond(
    event: dict[str, Any], log_stream: str, registry: Any, put: Callable[[str, bytes], None] = custom_resource.send
) -> None:
    """Do the work and report to CloudFormation. `registry` is a boto3 SageMaker client."""
    group = event["ResourceProperties"]["ModelPackageGroupName"]

    def work() -> str:
        if event["RequestType"] != "Delete":
            return ""
        return f"deleted {empty_group(registry, group)} packages of {group}"

    custom_resource.respond(
        event, log_stream, work, physical_id=f"{group}-contents", failure=f"could not empty {group}", put=put
    )


def empty_group(registry: Any, group: str) -> int:
    """Delete every package of a group, and return how many there were."""
    arns = [
        package["ModelPackageArn"]
        for page in registry.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        for package in page["ModelPackageSummaryList"]
    ]
    for arn in arns:
        registry.delete_model_package(ModelPackageName=arn)
    return len(arns)
