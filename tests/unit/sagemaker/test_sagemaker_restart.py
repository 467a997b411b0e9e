"""Stopping and starting the service: no process is left, and jobs and endpoints recover."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.sagemaker.common.errors import ServiceError
from local.sagemaker.endpoints import runtime

pytestmark = pytest.mark.integration  # real processes

WAIT = """
    import os, sys, time
    sys.stdout.write(f"pid {os.getpid()}\\n")  # in one piece: the toolkit ends a line where a write ends
    sys.stdout.flush()
    time.sleep(60)
"""


def running(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def training_pid(cloud: Any) -> int:
    lines = cloud.until(cloud.training_log, lambda lines: any(line.startswith("pid ") for line in lines))
    return int(next(line for line in lines if line.startswith("pid ")).split()[1])


def test_stop_ends_every_child(cloud: Any) -> None:
    """After `stop` neither the training script nor the model server runs."""
    cloud.deploy()
    server = json.loads(cloud.invoke("reviews").body)["pid"]
    cloud.train(WAIT)
    script = training_pid(cloud)
    assert running(server) and running(script)
    cloud.service.stop()
    assert not running(server)
    assert not running(script)


def test_stop_while_an_endpoint_comes_up(cloud: Any) -> None:
    """`stop` does not wait for an endpoint that is still starting."""
    name = cloud.create_config("1", environment={"BEHAVIOUR": "never ready"})
    cloud.call("CreateEndpoint", EndpointName="reviews", EndpointConfigName=name)
    cloud.until(
        lambda: cloud.surroundings.log_of("/aws/sagemaker/Endpoints/reviews"), lambda lines: "serving 1" in lines
    )
    cloud.service.stop()
    assert cloud.call("DescribeEndpoint", EndpointName="reviews")["EndpointStatus"] == "Creating"


def test_interrupted_job_has_failed(cloud: Any) -> None:
    """A job that was running when the service stopped is Failed afterwards, with that as the reason."""
    cloud.train(WAIT)
    training_pid(cloud)
    cloud.restart()
    job = cloud.call("DescribeTrainingJob", TrainingJobName="job")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"] == "The local cloud was stopped while the job was running"


def test_finished_job_stays_as_it_was(cloud: Any) -> None:
    """A job that had ended is described after a restart as before."""
    cloud.train("print(1)")
    before = cloud.job()
    cloud.restart()
    assert cloud.call("DescribeTrainingJob", TrainingJobName="job") == before


def test_endpoint_comes_back(cloud: Any) -> None:
    """An endpoint in service is SystemUpdating after a restart, then in service with the same model."""
    cloud.deploy("1")
    cloud.restart()
    assert cloud.endpoint()["EndpointStatus"] == "InService"
    assert json.loads(cloud.invoke("reviews").body)["version"] == "1"


def test_requests_while_it_comes_back(cloud: Any) -> None:
    """Until the model answers again, a request gets ModelNotReadyException (429), which clients retry."""
    cloud.deploy("1")
    cloud.put_model("1", {"code/serve.py": "import time; time.sleep(60)"})
    cloud.restart()
    assert cloud.call("DescribeEndpoint", EndpointName="reviews")["EndpointStatus"] == "SystemUpdating"
    with pytest.raises(ServiceError) as not_ready:
        cloud.invoke("reviews")
    assert (not_ready.value.code, not_ready.value.http_status) == ("ModelNotReadyException", 429)


GROUP = "/aws/sagemaker/Endpoints/reviews"
ARCHIVE = "s3://bucket/models/1/model.tar.gz"


def lose_the_archive(cloud: Any) -> Callable[[], Any]:
    """Take the endpoint's archive away; call what is returned to put it back."""
    path = cloud.surroundings.path(ARCHIVE)
    content = path.read_bytes()
    path.unlink()
    return lambda: path.write_bytes(content)


def fill_the_disk(cloud: Any) -> Callable[[], Any]:
    """Let nothing be unpacked, as on a full disk: a file lies where the folder has to be."""
    place = cloud.settings.state_dir / "artifacts"
    shutil.rmtree(place)
    place.write_text("full")
    return place.unlink


@pytest.mark.parametrize("fault", [lose_the_archive, fill_the_disk])
@pytest.mark.parametrize("restarts", [1, 2])
def test_an_endpoint_comes_back_by_itself_when_the_cause_is_gone(
    cloud: Any, monkeypatch: pytest.MonkeyPatch, fault: Callable[[Any], Callable[[], Any]], restarts: int
) -> None:
    """Failed after one restart, or two, because of something outside the model; in service, without a reason, later."""
    monkeypatch.setattr(runtime, "FIRST_PAUSE_SECONDS", 0.05)
    cloud.deploy("1")
    mend = fault(cloud)
    for _ in range(restarts):
        cloud.restart()
        failed = cloud.endpoint()
        assert (failed["EndpointStatus"], bool(failed["FailureReason"])) == ("Failed", True)
    mend()
    found = cloud.until(cloud.endpoint, lambda endpoint: endpoint["EndpointStatus"] == "InService")
    assert "FailureReason" not in found
    assert json.loads(cloud.invoke("reviews").body)["version"] == "1"


def test_attempts_for_an_endpoint_share_one_log_stream(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a server that cannot start is tried, its lines lie in one stream."""
    monkeypatch.setattr(runtime, "FIRST_PAUSE_SECONDS", 0.05)
    cloud.deploy("1")
    cloud.put_model("1", {"code/serve.py": "print('broken'); raise SystemExit(1)"})
    cloud.restart()
    cloud.until(lambda: cloud.surroundings.log_of(GROUP), lambda found: found.count("broken") >= 3)
    assert [name for name, lines in cloud.surroundings.logs.items() if "broken" in lines][1:] == []


def test_an_endpoint_that_is_tried_again_can_be_deleted_and_made_anew(
    cloud: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a release does with a Failed endpoint: the attempts for the old one end, and only the new one serves."""
    monkeypatch.setattr(runtime, "FIRST_PAUSE_SECONDS", 0.05)
    cloud.deploy("1")
    mend = lose_the_archive(cloud)
    cloud.restart()
    assert cloud.endpoint()["EndpointStatus"] == "Failed"
    cloud.call("DeleteEndpoint", EndpointName="reviews")
    cloud.until(lambda: cloud.call("ListEndpoints")["Endpoints"], lambda found: not found)
    mend()
    assert cloud.deploy("2")["EndpointStatus"] == "InService"
    cloud.until(lambda: cloud.service._runtime._threads, lambda threads: not threads)
    assert json.loads(cloud.invoke("reviews").body)["version"] == "2"


def test_an_endpoint_that_never_served_is_not_tried_again(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on AWS: a creation that failed stays Failed, also after a restart."""
    monkeypatch.setattr(runtime, "FIRST_PAUSE_SECONDS", 0.05)
    name = cloud.create_config("1")
    mend = lose_the_archive(cloud)
    cloud.call("CreateEndpoint", EndpointName="reviews", EndpointConfigName=name)
    assert cloud.endpoint()["EndpointStatus"] == "Failed"
    cloud.until(lambda: cloud.service._runtime._threads, lambda threads: not threads)
    mend()
    cloud.restart()
    assert cloud.endpoint()["EndpointStatus"] == "Failed"


def test_deleted_model_does_not_keep_an_endpoint_down(cloud: Any) -> None:
    """An endpoint comes back even if its model and configuration were deleted meanwhile."""
    cloud.deploy("1")
    cloud.call("DeleteModel", ModelName="model-1")
    cloud.call("DeleteEndpointConfig", EndpointConfigName="config-1")
    cloud.restart()
    assert cloud.endpoint()["EndpointStatus"] == "InService"


def test_interrupted_update_falls_back(cloud: Any) -> None:
    """A restart undoes an unfinished update, and the FailureReason says so."""
    cloud.deploy("1")
    name = cloud.create_config("2", environment={"BEHAVIOUR": "never ready"})
    cloud.call("UpdateEndpoint", EndpointName="reviews", EndpointConfigName=name)
    cloud.restart()
    endpoint = cloud.endpoint()
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "config-1")
    assert endpoint["FailureReason"] == "The local cloud was stopped while the endpoint was being updated"


def test_interrupted_creation_goes_on(cloud: Any) -> None:
    """An endpoint that was being created is created after the restart."""
    cloud.create_config("1")
    cloud.call("CreateEndpoint", EndpointName="reviews", EndpointConfigName="config-1")
    cloud.restart()
    assert cloud.endpoint()["EndpointStatus"] == "InService"


def test_state_is_below_the_given_folders(cloud: Any, tmp_path: Path) -> None:
    """Everything is written below state_dir and log_dir (objects and the image's torch are the test's own)."""
    cloud.deploy()
    cloud.train("print(1)")
    cloud.job()
    assert {path.name for path in tmp_path.iterdir()} == {"state", "logs", "objects", "brought"}
