"""Which model serves, by the serving stack's parameter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from gate.artifact import Artifact
from gate.champion import Champion, find_champion
from gate.errors import ServingUnknown

if TYPE_CHECKING:
    from conftest import World


def found(world: World) -> Champion | None:
    return find_champion(world.cloudformation, world.sagemaker, "serving")


def test_no_stack_and_an_empty_parameter_mean_no_champion(world: World) -> None:
    """Before the first deployment and before the first release."""
    assert found(world) is None
    world.cloudformation.package_arn = ""
    assert found(world) is None


def test_a_stack_that_was_never_made_serves_nothing(world: World) -> None:
    """Its parameter is only what was tried."""
    world.serve()
    world.cloudformation.status = "ROLLBACK_COMPLETE"
    assert found(world) is None
    world.cloudformation.status = "UPDATE_ROLLBACK_COMPLETE"
    assert found(world) is not None


def test_the_champion_is_the_container_of_its_package(world: World, package: str) -> None:
    """Image, model data and environment."""
    world.serve()
    artifact = Artifact("image:1", "s3://artifacts/old/model.tar.gz", {"HF_TASK": "text-classification"})
    assert found(world) == Champion(package, "7", artifact)


@pytest.mark.parametrize("containers", [None, [], [{"Image": "image:1"}]])
def test_a_package_that_names_no_artifact_is_a_problem_not_an_error(
    world: World, package: str, containers: list[dict[str, Any]] | None
) -> None:
    """The champion is known, and can't be scored."""
    world.serve()
    if containers is None:
        del world.sagemaker.containers[package]
    else:
        world.sagemaker.containers[package] = containers
    champion = found(world)
    assert champion is not None and champion.artifact is None
    assert champion.problem is not None and package in champion.problem


def test_a_stack_that_may_not_be_described_is_an_error(world: World, refusal: Callable[..., Exception]) -> None:
    """Taking it for no champion would approve without a comparison."""
    for code in ("AccessDenied", "ValidationError"):
        world.cloudformation.refusal = refusal("DescribeStacks", code)
        with pytest.raises(ServingUnknown) as caught:
            found(world)
        assert caught.value.stack == "serving"


def test_the_identity_of_an_artifact_is_that_of_its_parts() -> None:
    """The order of the environment does not matter, everything else does."""
    first = Artifact("i", "m", {"a": "1", "b": "2"})
    assert first.identity == Artifact("i", "m", {"b": "2", "a": "1"}).identity
    others = [Artifact("j", "m", first.environment), Artifact("i", "n", first.environment), Artifact("i", "m", {})]
    assert len({first.identity, *(other.identity for other in others)}) == 4
    assert len(first.identity) == 16
