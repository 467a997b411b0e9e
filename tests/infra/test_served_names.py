"""Names of models and endpoint configs: another name exactly where another resource is needed."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template
from template_values import ACCOUNT, REGION, TemplateValues

from stacks.common.names import Names
from stacks.config.environment import load_config
from stacks.serving import container, model_endpoint, variant
from stacks.serving.stack import ServingStack

KINDS = {"AWS::SageMaker::Model": "ModelName", "AWS::SageMaker::EndpointConfig": "EndpointConfigName"}
WARM, INSTANCES = "serving.provisioned_concurrency", "serving.instances"
KIND = {"serving.kind": "instances"}
Served = dict[str, dict[str, dict[str, Any]]]


def package(version: int) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/text-classifier-dev/{version}"


@pytest.fixture
def served(cdk_context: dict[str, Any]) -> Callable[..., Served]:
    """What a configuration serves with a value of the parameter: kind → logical id → properties, without tags."""

    def make(values: dict[str, object], parameter: str) -> Served:
        config = load_config({**cdk_context, "env": "dev", **values}.get, {})
        template = Template.from_stack(ServingStack(App(analytics_reporting=False), config=config)).to_json()
        found = TemplateValues(template, [], {"ModelPackageArn": parameter})
        return {kind: found.existing(kind) for kind in KINDS}

    return make


def held(properties: dict[str, Any], kind: str) -> str:
    """All that replaces a resource when it changes, but its name."""
    return json.dumps({k: v for k, v in properties.items() if k not in ("Tags", KINDS[kind])}, sort_keys=True)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value with the path to it."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, f"{path}/{name}")
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, path)
    else:
        yield path, value


CHANGES: list[dict[str, object]] = [
    {},
    {"serving.hub_model_id": "distilbert/other"},
    {"serving.hub_model_revision": "0" * 40},
    {"serving.hub_model_id": "", "serving.hub_model_revision": ""},
    {"serving.memory_mb": 4096},
    {"serving.max_concurrency": 6},
    {f"{WARM}.min": 1, f"{WARM}.max": 1},
    {f"{WARM}.min": 2, f"{WARM}.max": 3},
    {f"{WARM}.min": 2, f"{WARM}.max": 4},  # scaling: nothing of the two resources
    {"serving.container": "slim"},  # of new packages: nothing of the two resources
    KIND,
    {**KIND, f"{INSTANCES}.instance_type": "ml.m5.large"},
    {**KIND, f"{INSTANCES}.min_count": 3, f"{INSTANCES}.max_count": 3},
    {**KIND, f"{INSTANCES}.workers": 4},
    {"region": "eu-west-1"},
    {"region": "eu-west-1", "home_region": "us-east-1"},
]


def test_a_changed_property_changes_the_name_and_nothing_else_does(
    served: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over settings and packages: two resources of a kind have one name if, and only if, they hold the same."""
    found = [served(values, parameter) for values in CHANGES for parameter in ("", package(7), package(8))]
    monkeypatch.setattr(model_endpoint, "HUGGINGFACE_ENVIRONMENT", {"HF_TASK": "other", container.WORKERS: "1"})
    monkeypatch.setattr(variant, "VARIANT", "Other")
    found.append(served({}, package(7)))
    for kind, member in KINDS.items():
        made = [properties for one in found for properties in one[kind].values()]
        for one, other in itertools.combinations(made, 2):
            assert (one[member] == other[member]) == (held(one, kind) == held(other, kind)), (one, other)
        values: dict[str, set[Any]] = {}
        for properties in made:
            for path, value in leaves({k: v for k, v in properties.items() if k != "Tags"}):
                values.setdefault(path, set()).add(value)
        constant = {path for path, seen in values.items() if len(seen) == 1 and "PrimaryContainer" not in path}
        assert constant <= {"/ProductionVariants/InitialVariantWeight"}, "the changes leave a property out"


@pytest.mark.parametrize("kind", KINDS)
def test_every_property_that_replaces_is_in_the_name(cdk_context: dict[str, Any], kind: str) -> None:
    """Each property that CloudFormation's schema calls create-only changes the name, used here or not."""
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    replacing = {path.removeprefix("/properties/") for path in schema["createOnlyProperties"]}
    assert KINDS[kind] in replacing and "Tags" not in replacing
    names = Names(Stack(), load_config(cdk_context.get, {}))
    plain = dict.fromkeys(replacing, "as it was")
    made = {names.served_name("7", {**plain, name: "changed"}) for name in replacing}
    assert len(made | {names.served_name("7", plain)}) == len(replacing) + 1


def test_tokens_count_by_what_they_stand_for(cdk_context: dict[str, Any]) -> None:
    """The account, unknown at synthesis, has another token in each position; the name is the same in each synthesis."""

    def make(tokens_before: int) -> str:
        stack = Stack(App(analytics_reporting=False), "Serving")
        for number in range(tokens_before):
            stack.format_arn(service="s3", resource=str(number))
        names = Names(stack, load_config(cdk_context.get, {}))
        return names.served_name("7", {"Role": names.model_role_arn})

    assert make(0) == make(40)


def test_back_to_a_former_package_is_back_to_its_name(served: Callable[..., Served]) -> None:
    """A → B → A: the names of A again, none of B's among them, so that each can be made while the other serves."""
    first, second, again = (served({}, package(version)) for version in (7, 8, 7))
    assert first == again
    for kind, member in KINDS.items():
        before, after = ({one[member] for one in them[kind].values()} for them in (first, second))
        assert before and after and not before & after


def test_names_fit_and_are_what_sagemaker_takes(cdk_context: dict[str, Any]) -> None:
    """With the longest prefix and a version of 16 digits a name has 63 characters, of those that SageMaker allows."""
    config = load_config({**cdk_context, "env": "dev", "project": "p" * 28}.get, {})
    name = Names(Stack(), config).served_name("9" * 16, {})
    assert len(name) == 63
    assert name.startswith(f"{'p' * 28}-dev--")
    service = boto3.client("sagemaker", region_name=REGION).meta.service_model
    for operation, member in (("CreateModel", "ModelName"), ("CreateEndpointConfig", "EndpointConfigName")):
        pattern = service.operation_model(operation).input_shape.members[member].metadata["pattern"]
        assert re.fullmatch(pattern, name)
