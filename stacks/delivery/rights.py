"""What a workflow needs in the account: CDK's own roles, and what `make preflight` and `make verify` ask."""

from pathlib import Path

from aws_cdk import DefaultStackSynthesizer, Stack

from stacks.common.container_image import INFERENCE, resolve_image
from stacks.common.filled_document import filled
from stacks.common.names import arn
from stacks.common.permissions import Right

_QUALIFIER = DefaultStackSynthesizer.DEFAULT_QUALIFIER


def assume_bootstrap_roles(stack: Stack, *parts: str) -> Right:
    """Take the roles that `cdk bootstrap` made: `deploy`, `file-publishing`, `lookup`."""
    roles = [f"role/cdk-{_QUALIFIER}-{part}-role-{stack.account}-{stack.region}" for part in parts]
    return Right(["sts:AssumeRole"], [arn(stack, "iam", role, regional=False) for role in roles])


def check_deployments(stack: Stack, prefix: str) -> list[Right]:
    """Return what the checks of an environment ask, before and after a deployment; `prefix`: of its names."""
    values = {"partition": stack.partition, "region": stack.region, "account": stack.account, "prefix": prefix}
    values["qualifier"] = _QUALIFIER
    values["image_repository"] = resolve_image(INFERENCE, stack.region).repository_arn(stack.partition)
    return [Right(**one) for one in filled(Path(__file__).with_name("checks.yaml"), {}, values)["Rights"]]
