"""Serving: the champion is the stack's one parameter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk.assertions import Match
from template_values import TemplateValues

from stacks.serving.container import HUGGINGFACE_ENVIRONMENT

if TYPE_CHECKING:
    from conftest import Assemblies

AWS = ["dev", "prod"]
MODEL = "AWS::SageMaker::Model"


def condition(resources: list[dict[str, Any]]) -> set[str | None]:
    return {resource.get("Condition") for resource in resources}


@pytest.mark.parametrize("env", AWS)
def test_the_hub_model_is_served_first_within_a_new_accounts_quotas(assemblies: Assemblies, env: str) -> None:
    """Without a package the pinned hub model is served, with the memory and half the concurrency of a new account."""
    template = assemblies.assertions(env, "serving")
    template.has_resource(
        MODEL,
        {
            "Condition": "HasNoModelPackage",
            "Properties": Match.object_like(
                {
                    "PrimaryContainer": {
                        "Image": Match.string_like_regexp("/huggingface-pytorch-inference:.*-cpu-"),
                        "Environment": Match.object_like(
                            {
                                "HF_MODEL_ID": "distilbert/distilbert-base-uncased-finetuned-sst-2-english",
                                "HF_MODEL_REVISION": "714eb0fa89d2f80546fda750413ed43d93601a13",
                                "HF_TASK": "text-classification",
                            }
                        ),
                    }
                }
            ),
        },
    )
    template.has_resource_properties(
        "AWS::SageMaker::EndpointConfig",
        Match.object_like(
            {
                "ProductionVariants": [
                    Match.object_like({"ServerlessConfig": {"MemorySizeInMB": 3072, "MaxConcurrency": 5}})
                ]
            }
        ),
    )


@pytest.mark.parametrize("env", ["local", *AWS])
def test_package_becomes_the_model_with_its_version(assemblies: Assemblies, env: str) -> None:
    """With a package the model is made from it, image and artifact included, and told its version."""
    assemblies.assertions(env, "serving").has_resource(
        MODEL,
        {
            "Condition": "HasModelPackage",
            "Properties": Match.object_like(
                {
                    "PrimaryContainer": {
                        "ModelPackageName": {"Ref": "ModelPackageArn"},
                        "Environment": Match.any_value(),
                    }
                }
            ),
        },
    )


@pytest.mark.parametrize(("name", "workers"), [("local", "1"), ("prod", "1"), ("slim", "1"), ("instances", "2")])
def test_the_models_environment_is_whole_by_itself(assemblies: Assemblies, name: str, workers: str) -> None:
    """Whether SageMaker merges a package's variables with the model's or replaces them, the container sees the same."""
    given = {"ModelPackageArn": f"arn:aws:sagemaker:us-east-1:111122223333:model-package/text-classifier-{name}/17"}
    (model,) = TemplateValues(assemblies.template(name, "serving"), [], given).existing(MODEL).values()
    environment = model["PrimaryContainer"]["Environment"]
    assert environment == {
        "MODEL_VERSION": "17",
        "HF_TASK": "text-classification",
        "SAGEMAKER_MODEL_SERVER_WORKERS": workers,
    }
    assert set(HUGGINGFACE_ENVIRONMENT) < set(environment), "what packages are registered with"


@pytest.mark.parametrize("kind", [MODEL, "AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Endpoint"])
def test_local_cloud_has_no_endpoint_before_the_first_release(assemblies: Assemblies, kind: str) -> None:
    """Where no hub model is configured, nothing of the endpoint exists until a package is released."""
    assert condition(assemblies.resources("local", "serving", kind)) == {"HasModelPackage"}


@pytest.mark.parametrize("env", AWS)
@pytest.mark.parametrize("kind", ["AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Endpoint"])
def test_endpoint_on_aws_is_always_there(assemblies: Assemblies, env: str, kind: str) -> None:
    """On AWS the endpoint is there with a package and without one, unless a release makes a lost one anew."""
    assert condition(assemblies.resources(env, "serving", kind)) == {"HasEndpoint"}
    there = assemblies.template(env, "serving")["Conditions"]["HasEndpoint"]
    assert there == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ModelPackageArn"}, "none"]}]}


@pytest.mark.parametrize("env", ["local", *AWS])
def test_stack_exists_whatever_the_conditions(assemblies: Assemblies, env: str) -> None:
    """At least one resource does not depend on a condition, else CloudFormation has nothing to create."""
    assert None in condition(list(assemblies.template(env, "serving")["Resources"].values()))


@pytest.mark.parametrize("env", ["local", *AWS])
def test_the_endpoint_keeps_its_name(assemblies: Assemblies, env: str) -> None:
    """The endpoint is updated, not replaced: its name says nothing of the model."""
    (endpoint,) = assemblies.resources(env, "serving", "AWS::SageMaker::Endpoint")
    assert endpoint["Properties"]["EndpointName"] == f"text-classifier-{env}"


@pytest.mark.parametrize(("group", "taken"), [("text-classifier-dev", True), ("text-classifier-prod", False)])
def test_the_champion_is_a_version_of_the_own_group(assemblies: Assemblies, group: str, taken: bool) -> None:
    """The parameter takes no package of another group or region: a name tells packages apart by version alone."""
    pattern = assemblies.template("dev", "serving")["Parameters"]["ModelPackageArn"]["AllowedPattern"]
    for region, right in (("us-east-1", taken), ("eu-west-1", False)):
        arn = f"arn:aws:sagemaker:{region}:111122223333:model-package/{group}/7"
        assert bool(re.fullmatch(pattern, arn)) is right
    assert re.fullmatch(pattern, "") and re.fullmatch(pattern, "none")


@pytest.mark.parametrize("env", ["local", *AWS])
def test_a_release_needs_one_parameter_only(assemblies: Assemblies, env: str) -> None:
    """The template has the package's ARN as its only parameter, no bootstrap rule, and exports nothing."""
    template = assemblies.template(env, "serving")
    assert set(template["Parameters"]) == {"ModelPackageArn"}
    assert template["Parameters"]["ModelPackageArn"]["Default"] == ""
    assert "Rules" not in template
    assert not [output for output in template["Outputs"].values() if "Export" in output]


@pytest.mark.parametrize("env", ["local", *AWS])
def test_serving_refers_to_no_other_stack(assemblies: Assemblies, env: str) -> None:
    """Nothing is imported: role and names are built from the configuration."""
    assert "Fn::ImportValue" not in str(assemblies.template(env, "serving"))
