"""The slim container on instances that scale: deployed, trained, released and asked on a local cloud."""

from __future__ import annotations

from typing import Any

import pytest

from local_project import BUNDLED_DATA, LocalProjects
from small_model import write_small_model

pytestmark = pytest.mark.e2e
CONTEXT = "serving.container=slim serving.kind=instances serving.instances.max_count=3"
ENDPOINT = "text-classifier-local-instances"


@pytest.fixture(scope="module")
def project(projects: LocalProjects, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A local cloud of its own, brought up from nothing on the bundled data, with a small model."""

    def bring_up() -> Any:
        base = write_small_model(tmp_path_factory.mktemp("small"))
        made: Any = projects.new(
            "slim-instances", DATA=str(BUNDLED_DATA), CONTEXT=f"{CONTEXT} training.base_model={base}"
        )
        made.printed = made.make("up", timeout=1800).stdout
        return made

    return projects.keep("slim-instances", bring_up)


@pytest.mark.proves('make up CONTEXT="serving.container=slim"')
def test_the_released_model_answers_through_the_api(project: Any) -> None:
    """The image of the package is the slim one, and its server answers with label, confidence, score and version."""
    answer = project.post({"inputs": ["The zoom is sharp up to 200 mm.", "This was a gift."]})
    assert answer.status_code == 200 and len(answer.json()["predictions"]) == 2
    endpoint = project.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
    (variant,) = endpoint["ProductionVariants"]
    assert variant["DeployedImages"][0]["SpecifiedImage"].split("/")[1].startswith("text-classifier-local-serving:")
    assert (variant["CurrentInstanceCount"], endpoint["EndpointStatus"]) == (2, "InService")
    assert set(endpoint["LastDeploymentConfig"]) == {"AutoRollbackConfiguration", "BlueGreenUpdatePolicy"}


def test_nobody_is_told_that_an_image_was_built(project: Any) -> None:
    """The deployment says so, the build says so, and the repository is empty."""
    assert "none was built" in project.printed
    codebuild = project.client("codebuild")
    (build,) = codebuild.batch_get_builds(ids=codebuild.list_builds()["ids"])["builds"]
    remarks = [context["message"] for phase in build["phases"] for context in phase.get("contexts", [])]
    assert build["buildStatus"] == "SUCCEEDED" and "no image was built" in remarks[0]
    assert project.client("ecr").list_images(repositoryName="text-classifier-local-serving")["imageIds"] == []


def test_the_stack_holds_what_scales_and_what_guards(project: Any) -> None:
    """Released under the release role alone, the serving stack has its target, its policy and its two alarms."""
    resources = project.client("cloudformation").list_stack_resources(StackName="text-classifier-local-serving")
    kinds = [entry["ResourceType"].rpartition("::")[2] for entry in resources["StackResourceSummaries"]]
    assert (kinds.count("ScalableTarget"), kinds.count("ScalingPolicy"), kinds.count("Alarm")) == (1, 1, 2)


@pytest.mark.proves("make size-endpoint")
def test_size_endpoint_recommends_for_the_released_model(project: Any) -> None:
    """The released package is measured in its own server, and the output ends with lines for cdk.json."""
    printed = project.make("size-endpoint", "ARGS=--seconds 0.2", timeout=300).stdout
    assert "container slim" in printed
    assert '"serving": {"memory_mb": 1024, "max_concurrency": ' in printed
