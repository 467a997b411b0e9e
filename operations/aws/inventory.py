"""What bears an environment's names in an account, whoever made it.

Not its budget: who may deploy may not always read the account's bills, and where a budget is left roles are, too.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from operations.aws.deployment import PROJECT, STACKS, Deployment


class Found(NamedTuple):
    """One resource: its type as CloudFormation spells it, and its name or ARN, whichever its stack knows it by."""

    kind: str
    name: str


# Type, service, operation, where its answer holds the names.
_LISTS = (
    ("AWS::S3::Bucket", "s3", "list_buckets", "Buckets[].Name"),
    ("AWS::Logs::LogGroup", "logs", "describe_log_groups", "logGroups[].logGroupName"),
    ("AWS::IAM::Role", "iam", "list_roles", "Roles[].RoleName"),
    ("AWS::Lambda::Function", "lambda", "list_functions", "Functions[].FunctionName"),
    ("AWS::SageMaker::Endpoint", "sagemaker", "list_endpoints", "Endpoints[].EndpointArn"),
    (
        "AWS::SageMaker::ModelPackageGroup",
        "sagemaker",
        "list_model_package_groups",
        "ModelPackageGroupSummaryList[].ModelPackageGroupArn",
    ),
    ("AWS::StepFunctions::StateMachine", "stepfunctions", "list_state_machines", "stateMachines[].stateMachineArn"),
    ("AWS::SNS::Topic", "sns", "list_topics", "Topics[].TopicArn"),
    ("AWS::SSM::Parameter", "ssm", "describe_parameters", "Parameters[].Name"),
    ("AWS::Events::Rule", "events", "list_rules", "Rules[].Name"),
    ("AWS::CloudWatch::Alarm", "cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    ("AWS::CloudWatch::Dashboard", "cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName"),
    ("AWS::CodeBuild::Project", "codebuild", "list_projects", "projects[]"),
    ("AWS::ECR::Repository", "ecr", "describe_repositories", "repositories[].repositoryName"),
)


def inventory(deployment: Deployment) -> Iterator[Found]:
    """Yield what bears the environment's names."""
    prefix = re.compile(rf"\b{PROJECT}-{re.escape(deployment.env)}\b")
    for kind, service, operation, names in _LISTS:
        for name in deployment.client(service).get_paginator(operation).paginate().search(names):
            if name and prefix.search(name):
                yield Found(kind, name)


def owned(deployment: Deployment) -> set[str]:
    """Return the physical ids of everything in the environment's stacks."""
    pages = deployment.client("cloudformation").get_paginator("list_stack_resources")
    return {
        resource["PhysicalResourceId"]
        for part in (*STACKS, "image")
        if deployment.stack(part)
        for page in pages.paginate(StackName=f"{PROJECT}-{deployment.env}-{part}")
        for resource in page["StackResourceSummaries"]
        if "PhysicalResourceId" in resource
    }
