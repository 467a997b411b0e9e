"""UpdateEndpoint: the new model takes over without a failed request, or the old one stays."""

from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from local.sagemaker.common.errors import ServiceError

pytestmark = pytest.mark.integration  # real processes


def version(cloud: Any, **order: Any) -> str:
    return json.loads(cloud.invoke("reviews", json.dumps(order).encode()).body)["version"]


def update(cloud: Any, to: str, **config: Any) -> dict[str, Any]:
    name = cloud.create_config(to, **config)
    cloud.call("UpdateEndpoint", EndpointName="reviews", EndpointConfigName=name)
    return cloud.endpoint()


def test_no_request_fails_while_the_model_is_switched(cloud: Any) -> None:
    """Under constant load two updates in a row lose no request, and afterwards the newest model answers."""
    cloud.deploy("1")
    done = threading.Event()
    seen: Counter[str] = Counter()
    failures: list[str] = []

    def load() -> None:
        while not done.is_set():
            try:
                seen[version(cloud, sleep=0.01)] += 1
            except ServiceError as error:
                failures.append(str(error))

    callers = [threading.Thread(target=load) for _ in range(4)]
    for caller in callers:
        caller.start()
    try:
        for newer in ("2", "3"):
            assert update(cloud, newer)["EndpointConfigName"] == f"config-{newer}"
            cloud.until(lambda newer=newer: seen[newer], lambda count: count > 5)
    finally:
        done.set()
        for caller in callers:
            caller.join()
    assert failures == []
    assert seen["1"] and seen["2"] and seen["3"]
    assert version(cloud) == "3"


def test_request_under_way_is_answered_by_the_old_model(cloud: Any) -> None:
    """The old server stops only after its last answer."""
    cloud.deploy("1")
    answers: list[str] = []
    slow = threading.Thread(target=lambda: answers.append(version(cloud, sleep=1.5)))
    slow.start()
    assert update(cloud, "2")["EndpointStatus"] == "InService"
    assert version(cloud) == "2"
    assert answers == [], "the slow request outlasts the switch (else this test shows nothing)"
    slow.join()
    assert answers == ["1"]


def test_old_process_ends(cloud: Any) -> None:
    """After the switch the old server's process is gone."""
    cloud.deploy("1")
    pid = json.loads(cloud.invoke("reviews").body)["pid"]
    assert Path(f"/proc/{pid}").exists()
    update(cloud, "2")
    assert cloud.until(lambda: Path(f"/proc/{pid}").exists(), lambda alive: not alive) is False


def test_failed_update_keeps_the_old_model(cloud: Any) -> None:
    """If the new model does not come up, the old configuration is InService and the reason can be read."""
    cloud.deploy("1")
    endpoint = update(cloud, "2", environment={"BEHAVIOUR": "exit"})
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "config-1")
    assert "did not pass the ping health check" in endpoint["FailureReason"]
    assert version(cloud) == "1"


def test_next_good_update_clears_the_reason(cloud: Any) -> None:
    """The reason of a failed update disappears with the next one."""
    cloud.deploy("1")
    update(cloud, "2", environment={"BEHAVIOUR": "exit"})
    endpoint = update(cloud, "3")
    assert endpoint["EndpointConfigName"] == "config-3"
    assert "FailureReason" not in endpoint


def test_update_in_progress_shows_the_configuration_in_use(cloud: Any) -> None:
    """While it is updated, an endpoint names the configuration that still serves."""
    cloud.deploy("1")
    name = cloud.create_config("2")
    cloud.call("UpdateEndpoint", EndpointName="reviews", EndpointConfigName=name)
    endpoint = cloud.call("DescribeEndpoint", EndpointName="reviews")
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("Updating", "config-1")
    assert cloud.endpoint()["EndpointConfigName"] == "config-2"


def test_configuration_in_use_must_still_exist(cloud: Any) -> None:
    """An update after the configuration in use was deleted is refused, as on AWS."""
    cloud.deploy("1")
    cloud.call("DeleteEndpointConfig", EndpointConfigName="config-1")
    name = cloud.create_config("2")
    with pytest.raises(ServiceError) as refused:
        cloud.call("UpdateEndpoint", EndpointName="reviews", EndpointConfigName=name)
    assert refused.value.message.startswith('Could not find endpoint configuration "arn:')
    assert refused.value.message.endswith('endpoint-config/config-1".')
    assert version(cloud) == "1"
