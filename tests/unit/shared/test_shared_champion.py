"""The champion, found through the serving stack's parameter."""

from __future__ import annotations

from typing import Any

import pytest

from aws_fakes import FakeCloudFormation, FakeSageMaker, client_error
from shared.champion import Artifact, ModelPackage, find_champion
from shared.errors import FunctionError

PACKAGE = "arn:aws:sagemaker:us-east-1:111122223333:model-package/text-classifier-dev/7"
CONTAINER = {
    "Image": "image:1",
    "ModelDataUrl": "s3://artifacts/old/model.tar.gz",
    "Environment": {"HF_TASK": "text-classification"},
}


class World:
    """A serving stack and a registry; nothing serves until a test says so."""

    def __init__(self) -> None:
        self.cloudformation = FakeCloudFormation()
        self.sagemaker = FakeSageMaker()

    def serve(self) -> None:
        self.cloudformation.package_arn = PACKAGE
        self.sagemaker.containers[PACKAGE] = [CONTAINER]


@pytest.fixture
def world() -> World:
    return World()


def found(world: World) -> ModelPackage | None:
    return find_champion(world.cloudformation, world.sagemaker, "serving")


def test_no_stack_and_an_empty_parameter_mean_no_champion(world: World) -> None:
    """There is none before the first deployment and before the first release."""
    assert found(world) is None
    world.cloudformation.package_arn = ""
    assert found(world) is None


def test_a_stack_that_was_never_made_serves_nothing(world: World) -> None:
    """Its parameter names only what was attempted."""
    world.serve()
    world.cloudformation.status = "ROLLBACK_COMPLETE"
    assert found(world) is None
    world.cloudformation.status = "UPDATE_ROLLBACK_COMPLETE"
    assert found(world) is not None


def test_the_champion_is_the_container_of_its_package(world: World) -> None:
    """Its image, model data and environment are read."""
    world.serve()
    artifact = Artifact("image:1", "s3://artifacts/old/model.tar.gz", {"HF_TASK": "text-classification"})
    assert found(world) == ModelPackage(PACKAGE, "7", artifact)


@pytest.mark.parametrize("containers", [None, [], [{"Image": "image:1"}]])
def test_a_package_that_names_no_artifact_is_a_problem_not_an_error(
    world: World, containers: list[dict[str, Any]] | None
) -> None:
    """The champion is known, but it can't be asked."""
    world.serve()
    if containers is None:
        del world.sagemaker.containers[PACKAGE]
    else:
        world.sagemaker.containers[PACKAGE] = containers
    champion = found(world)
    assert champion is not None and champion.artifact is None
    assert champion.problem is not None and PACKAGE in champion.problem


def test_a_stack_that_may_not_be_described_is_an_error(world: World) -> None:
    """Treating it as no champion would approve a model without a comparison."""
    for code in ("AccessDenied", "ValidationError"):
        world.cloudformation.refusal = client_error("DescribeStacks", code)
        with pytest.raises(FunctionError, match="stack serving cannot be described"):
            found(world)


def test_the_identity_of_an_artifact_is_that_of_its_parts() -> None:
    """The order of the environment does not matter, everything else does."""
    first = Artifact("i", "m", {"a": "1", "b": "2"})
    assert first.identity == Artifact("i", "m", {"b": "2", "a": "1"}).identity
    others = [Artifact("j", "m", first.environment), Artifact("i", "n", first.environment), Artifact("i", "m", {})]
    assert len({first.identity, *(other.identity for other in others)}) == 4
    assert len(first.identity) == 16
