"""What a workflow needs in the account: CDK's own roles, and what `make preflight` and `make verify` ask."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

from aws_cdk import DefaultStackSynthesizer, Stack

from stacks.common.container_image import INFERENCE, resolve_image
from stacks.common.names import arn
from stacks.common.permissions import Right

_QUALIFIER = DefaultStackSynthesizer.DEFAULT_QUALIFIER
_CHECKS = Path(__file__).with_name("checks.toml")


def assume_bootstrap_roles(stack: Stack, *parts: str) -> Right:
    """Take the roles that `cdk bootstrap` made: `deploy`, `file-publishing`, `lookup`."""
    roles = [f"role/cdk-{_QUALIFIER}-{part}-role-{stack.account}-{stack.region}" for part in parts]
    return Right(["sts:AssumeRole"], [arn(stack, "iam", role, regional=False) for role in roles])


def check_deployments(stack: Stack, prefix: str) -> Iterator[Right]:
    """Yield what the checks of an environment ask, before and after a deployment; `prefix`: of its names."""
    place = {"partition": stack.partition, "region": stack.region, "account": stack.account}
    place |= {"own": f"{stack.region}:{stack.account}", "prefix": prefix, "qualifier": _QUALIFIER}
    for one in tomllib.loads(_CHECKS.read_text(encoding="utf-8"))["right"]:
        yield Right(one["actions"], [text.format(**place) for text in one["resources"]], one.get("reason", ""))
    yield Right(["ecr:BatchGetImage"], [resolve_image(INFERENCE, stack.region).repository_arn(stack.partition)])
