"""What bears an environment's names in an account, whoever made it, and whose it is.

Not its budget: who may deploy may not always read the account's bills, and where a budget is left roles are, too.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from operations import paths
from operations.aws.deployment import PROJECT, Deployment
from stacks.config.environment import Config

LEFT_OVER, KEPT, HISTORY = "left over", "kept on purpose", "SageMaker's history"
BUCKET = "AWS::S3::Bucket"
IMPORTS = paths.LOCAL / "import"


class Found(NamedTuple):
    """One resource: its type as CloudFormation spells it, its name or ARN, whichever its stack knows it by."""

    kind: str
    name: str
    whose: str = ""
    next_step: str = ""


_KNOWN = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_LISTS, _KEPT_KINDS = _KNOWN["environment"], _KNOWN["kept"]
_SHARED = "^/aws/sagemaker/[^/]+$|^API-Gateway-Execution|^StepFunctionsGetEventsFor|^CDKToolkit$"
_OF_ONE_API = "API-Gateway-Execution-Logs_"  # a new API logs elsewhere


def told(deployment: Deployment, config: Config, found: Iterable[Found]) -> Iterator[Found]:
    """Yield what was found with whose it is, without roles of another region, which `home_region` sets apart."""
    regions = deployment.session.get_available_regions("sagemaker")
    for one in found:
        ending = next((f"-{region}" for region in regions if one.name.endswith(f"-{region}")), "")
        whose, step = _whose(one, config)
        if whose != LEFT_OVER or one.kind != "AWS::IAM::Role" or ending == config.global_suffix:
            yield Found(one.kind, one.name, whose, step)


def _whose(found: Found, config: Config) -> tuple[str, str]:
    for kind, name, whose, step in _KNOWN["whose"]:
        if kind == found.kind and re.search(name, found.name):
            return whose, step
    if config.removable or found.kind not in _KEPT_KINDS:
        return LEFT_OVER, "delete it, or the next deployment may find its name taken"
    return KEPT, f"cdk import each stack with its file in {IMPORTS} (docs/first-deployment.md), then cdk deploy --all"


def note_imports(deployment: Deployment, stack: str) -> None:
    """Write the file with which `cdk import --resource-mapping` takes back what a stack keeps when it is destroyed."""
    mapping = {
        one["LogicalResourceId"]: {_KEPT_KINDS[one["ResourceType"]]: one["PhysicalResourceId"]}
        for one in resources(deployment, stack)
        if one["ResourceType"] in _KEPT_KINDS and not one["PhysicalResourceId"].startswith(_OF_ONE_API)
    }
    if mapping:
        IMPORTS.mkdir(parents=True, exist_ok=True)
        (IMPORTS / f"{stack}.json").write_text(json.dumps(mapping, indent=2) + "\n", encoding="utf-8")


def inventory(deployment: Deployment) -> Iterator[Found]:
    """Yield what bears the environment's names."""
    yield from _listed(deployment, _LISTS, own_names(deployment))


def surroundings(deployment: Deployment) -> Iterator[Found]:
    """Yield what the environment leaves or uses without owning it: history of its jobs, the account's, AWS's, cdk's."""
    yield from _listed(deployment, _KNOWN["jobs"], own_names(deployment))
    yield from _listed(deployment, _KNOWN["shared"], _SHARED)
    if role := deployment.client("apigateway").get_account().get("cloudwatchRoleArn"):
        yield Found("AWS::ApiGateway::Account", role)


def models_left(deployment: Deployment) -> list[str]:
    """Return the names of the models that stopped executions have left; one that ends removes its own."""
    pages = deployment.client("sagemaker").get_paginator("list_models").paginate(NameContains=PROJECT)
    made = re.compile(rf"{own_names(deployment)}-(bulk|evidence)-")
    return [name for name in pages.search("Models[].ModelName") if name and made.search(name)]


def own_names(deployment: Deployment) -> str:
    """Return the pattern of the environment's names; those of dev-2, another environment of cdk.json, are not dev's."""
    env, context = deployment.env, json.loads((paths.ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    others = (other.removeprefix(env) for other in context["environments"] if other.startswith(f"{env}-"))
    return rf"\b{PROJECT}-{env}\b" + "".join(rf"(?!{end}\b)" for end in others)


def _listed(deployment: Deployment, lists: Iterable[list[str]], pattern: str) -> Iterator[Found]:
    for kind, service, operation, names in lists:
        # Buckets alone are listed from all regions.
        here = {"BucketRegion": deployment.session.region_name} if kind == BUCKET else {}
        for name in deployment.client(service).get_paginator(operation).paginate(**here).search(names):
            if name and re.search(pattern, name):
                yield Found(kind, name)


def owned(deployment: Deployment) -> set[str]:
    """Return the physical ids of everything in the environment's stacks."""
    stacks = deployment.existing_stacks()
    return {one["PhysicalResourceId"] for stack in stacks for one in resources(deployment, stack["StackName"])}


def resources(deployment: Deployment, stack: str) -> list[dict[str, Any]]:
    """Return what CloudFormation lists of the resources of a stack, given by name or id."""
    pages = deployment.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return [one for one in pages.search("StackResourceSummaries[]") if one and "PhysicalResourceId" in one]
