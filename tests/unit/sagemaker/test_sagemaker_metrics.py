"""The metrics that an endpoint publishes by itself."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from local.sagemaker.common.errors import ServiceError

if TYPE_CHECKING:
    from conftest import Cloud

DIMENSIONS = {"EndpointName": "reviews", "VariantName": "AllTraffic"}


def values(cloud: Cloud, name: str, namespace: str = "AWS/SageMaker") -> list[float]:
    """The values of a metric once there is one; their dimensions are the variant's."""
    found = cloud.until(lambda: cloud.surroundings.metrics.get((namespace, name), []), bool)
    assert all(dimensions == DIMENSIONS for _, _, dimensions in found)
    return [value for value, _, _ in found]


def unit(cloud: Cloud, name: str) -> str:
    return cloud.surroundings.metrics[("AWS/SageMaker", name)][0][1]


def ask(cloud: Cloud, **order: Any) -> None:
    cloud.invoke("reviews", json.dumps(order).encode())


def test_a_start_is_published_once(cloud: Cloud) -> None:
    """A cold start shows as ModelSetupTime, in microseconds, before any request."""
    cloud.deploy()
    (setup,) = values(cloud, "ModelSetupTime")
    assert 1_000 < setup < 15_000_000 and unit(cloud, "ModelSetupTime") == "Microseconds"


def test_an_answer_is_counted_and_timed(cloud: Cloud) -> None:
    """One invocation without an error; the model's part of its time is what the model took."""
    cloud.deploy()
    ask(cloud, sleep=0.2)
    assert (values(cloud, "Invocations"), values(cloud, "Invocation5XXErrors")) == ([1.0], [0.0])
    (model,), (overhead,) = values(cloud, "ModelLatency"), values(cloud, "OverheadLatency")
    assert 200_000 <= model < 5_000_000 and 0 <= overhead < model


@pytest.mark.parametrize(("status", "four", "five"), [(400, 1.0, 0.0), (500, 0.0, 1.0)])
def test_errors_of_the_model_are_told_apart(cloud: Cloud, status: int, four: float, five: float) -> None:
    """By the model's status, not by the 424 that the caller sees."""
    cloud.deploy()
    with pytest.raises(ServiceError):
        ask(cloud, status=status)
    assert (values(cloud, "Invocation4XXErrors"), values(cloud, "Invocation5XXErrors")) == ([four], [five])


def test_a_request_that_is_too_large_is_no_invocation(cloud: Cloud) -> None:
    """The model never saw it."""
    cloud.deploy()
    with pytest.raises(ServiceError):
        cloud.invoke("reviews", b"x" * (4 * 1024**2 + 1))
    ask(cloud)
    assert values(cloud, "Invocations") == [1.0]


def test_concurrency_is_a_share_of_the_limit(cloud: Cloud) -> None:
    """One request of ten at a time uses a tenth."""
    cloud.deploy()
    ask(cloud)
    assert values(cloud, "ServerlessConcurrentExecutionsUtilization") == [0.1]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell a process's memory")
def test_memory_is_a_share_of_the_configured_size(cloud: Cloud) -> None:
    """A small Python server uses some of its 2 GB."""
    cloud.deploy()
    ask(cloud)
    (share,) = values(cloud, "MemoryUtilization", "/aws/sagemaker/Endpoints")
    assert 0 < share < 50
