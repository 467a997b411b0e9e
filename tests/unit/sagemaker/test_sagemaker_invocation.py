"""InvokeEndpoint: what is passed on, and the error for each kind of failure."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.sagemaker.common.errors import ServiceError

pytestmark = pytest.mark.integration  # real processes


def ask(cloud: Any, **order: Any) -> Any:
    return cloud.invoke("reviews", json.dumps(order).encode())


def test_headers_go_both_ways(cloud: Any) -> None:
    """Content type and accept reach the model, and its content type comes back."""
    cloud.deploy()
    headers = {"content-type": "application/x-special", "accept": "text/special"}
    result = cloud.invoke("reviews", b"{}", **headers)
    seen = json.loads(result.body)
    assert (seen["content_type"], seen["accept"]) == ("application/x-special", "text/special")
    assert result.status == 200
    assert result.headers == {"Content-Type": "application/json", "x-Amzn-Invoked-Production-Variant": "AllTraffic"}


@pytest.mark.parametrize(("status", "kind"), [(400, "client"), (500, "server")])
def test_error_of_the_model(cloud: Any, status: int, kind: str) -> None:
    """An error status of the model is a ModelError that carries status and message."""
    cloud.deploy()
    with pytest.raises(ServiceError) as failed:
        ask(cloud, status=status)
    error = failed.value
    assert (error.code, error.http_status) == ("ModelError", 424)
    assert error.details["OriginalStatusCode"] == status
    assert error.details["OriginalMessage"] == '{"error": "no"}'
    assert error.details["LogStreamArn"].endswith(":log-group:/aws/sagemaker/Endpoints/reviews")
    assert error.message.startswith(f'Received {kind} error ({status}) from primary with message "{{"error": "no"}}".')


def test_model_that_takes_too_long(start_cloud: Any) -> None:
    """A model that does not answer in time is a ModelError with status 0, as on AWS."""
    cloud = start_cloud(invocation_seconds=0.3)
    cloud.deploy()
    with pytest.raises(ServiceError) as failed:
        ask(cloud, sleep=2)
    assert (failed.value.code, failed.value.details["OriginalStatusCode"]) == ("ModelError", 0)
    assert "Your invocation timed out" in failed.value.message


def test_more_requests_than_max_concurrency(cloud: Any) -> None:
    """Of three requests at a time on a MaxConcurrency of 2, one is throttled with 429 and two are answered."""
    cloud.deploy("1", MaxConcurrency=2)

    def outcome(_: int) -> str:
        try:
            ask(cloud, sleep=0.5)
        except ServiceError as error:
            return f"{error.code} {error.http_status}"
        return "answered"

    with ThreadPoolExecutor(3) as pool:
        outcomes = sorted(pool.map(outcome, range(3)))
    assert outcomes == ["ThrottlingException 429", "answered", "answered"]
    assert outcome(0) == "answered", "a place becomes free again"


def test_crashed_server_is_started_again(cloud: Any) -> None:
    """A crash costs the request that caused it a ModelError 503; soon another process answers."""
    cloud.deploy()
    before = json.loads(ask(cloud).body)["pid"]
    with pytest.raises(ServiceError) as failed:
        ask(cloud, crash=True)
    assert (failed.value.code, failed.value.details["OriginalStatusCode"]) == ("ModelError", 503)

    def pid() -> int | None:
        try:
            return json.loads(ask(cloud).body)["pid"]
        except ServiceError as error:
            assert error.details["OriginalStatusCode"] == 503
            return None

    after = cloud.until(pid, lambda seen: seen is not None)
    assert after != before
    assert cloud.call("DescribeEndpoint", EndpointName="reviews")["EndpointStatus"] == "InService"


def test_server_that_cannot_come_back_says_503(cloud: Any) -> None:
    """When the restart fails, too, requests keep failing with a 503 ModelError and the log says why."""
    cloud.deploy()
    folder = next((cloud.settings.state_dir / "artifacts").iterdir())
    (folder / "code" / "serve.py").unlink()
    with pytest.raises(ServiceError):
        ask(cloud, crash=True)
    group = "/aws/sagemaker/Endpoints/reviews"
    cloud.until(
        lambda: cloud.surroundings.log_of(group), lambda lines: any("did not come up again" in line for line in lines)
    )
    with pytest.raises(ServiceError) as failed:
        ask(cloud)
    assert failed.value.details["OriginalStatusCode"] == 503


def test_body_above_the_limit(cloud: Any) -> None:
    """A body above the 4 MB of serverless endpoints is refused before it reaches the model."""
    cloud.deploy()
    with pytest.raises(ServiceError) as refused:
        cloud.invoke("reviews", b" " * (4 * 1024 * 1024 + 1))
    assert refused.value.http_status == 413


def test_connections_are_reused(cloud: Any) -> None:
    """Requests in a row share one connection to the model server."""
    cloud.deploy()
    first, *_, last = [json.loads(ask(cloud).body)["connections"] for _ in range(10)]
    assert last == first
