"""Every state of the endpoint, forced on the local cloud: what the caller gets, and what the Lambda's log says.

The API's own endpoint is switched to a model that does what its text says (`tests/support/moody_inference.py`), with
one request at a time, and back afterwards.
"""

from __future__ import annotations

import io
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from moody_inference import BUSY, CRASHED
from problem_answers import assert_problem, logged
from waiting import until

pytestmark = pytest.mark.e2e
ENDPOINT = "text-classifier-local"
NAME = "moody"
HOOKS = Path(__file__).resolve().parents[1] / "support" / "moody_inference.py"


def switch(sagemaker: Any, config: str) -> None:
    """Put a configuration into service and wait until it is."""
    sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName=config)

    def settled() -> dict[str, Any]:
        found: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
        return found if found["EndpointStatus"] == "InService" else {}

    endpoint = until(settled, 120)
    assert endpoint["EndpointConfigName"] == config, endpoint.get("FailureReason")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the moody model's files lie that say how long it is busy, or loads."""
    return tmp_path_factory.mktemp(NAME)


@pytest.fixture(scope="module")
def moody(project: Any, folder: Path) -> Iterator[Any]:
    """The project, served by the moody model."""
    sagemaker, bucket = project.client("sagemaker"), project.outputs("storage")["ArtifactsBucket"]
    before = sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointConfigName"]
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=before)["ProductionVariants"]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    package = sagemaker.describe_model_package(ModelPackageName=model["PrimaryContainer"]["ModelPackageName"])
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as packed:
        packed.add(HOOKS, "code/inference.py")
    key = f"training/{NAME}/output/model.tar.gz"
    project.client("s3").put_object(Bucket=bucket, Key=key, Body=archive.getvalue())
    sagemaker.create_model(
        ModelName=NAME,
        ExecutionRoleArn=model["ExecutionRoleArn"],
        PrimaryContainer={
            "Image": package["InferenceSpecification"]["Containers"][0]["Image"],
            "ModelDataUrl": f"s3://{bucket}/{key}",
            "Environment": {"MOODY_FOLDER": str(folder)},
        },
    )
    serverless = {**variant["ServerlessConfig"], "MaxConcurrency": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName=NAME, ProductionVariants=[{**variant, "ModelName": NAME, "ServerlessConfig": serverless}]
    )
    try:
        switch(sagemaker, NAME)
        yield project
    finally:
        switch(sagemaker, before)
        sagemaker.delete_endpoint_config(EndpointConfigName=NAME)
        sagemaker.delete_model(ModelName=NAME)


def test_answering(moody: Any) -> None:
    """The moody model answers what it has no mood about."""
    assert moody.post({"inputs": "hello"}).json()["model"]["version"] == "moody"


@pytest.mark.parametrize("garbage", ["html", "too few", "infinite", "null"])
def test_garbage(moody: Any, garbage: str) -> None:
    """An answer that makes no sense is 502 model_error, without a reason to come back."""
    problem = assert_problem(moody.post({"inputs": garbage}), 502, "model_error", retry_after=False)
    line = logged(moody, problem["request_id"])
    assert (line["level"], line["code"]) == ("WARNING", "model_error")


def test_a_stock_400_is_not_the_callers(moody: Any) -> None:
    """The stock container says 400 for an exception of its own: 502 to the caller, its 400 and no text in the log."""
    problem = assert_problem(moody.post({"inputs": ["raise", "secret"]}), 502, "model_error", retry_after=False)
    line = logged(moody, problem["request_id"])
    assert (line["reason"], line["container_status"]) == ("ModelError", 400)
    assert "secret" not in json.dumps([problem, line])


def test_slow_and_throttled(moody: Any, folder: Path) -> None:
    """A request that takes too long is 504, and one that finds the model busy all the while 429; both in time."""
    slow: list[requests.Response] = []
    asking = threading.Thread(target=lambda: slow.append(moody.post({"inputs": BUSY})))
    asking.start()
    try:
        until((folder / BUSY).exists)
        busy = moody.post({"inputs": "hello"})
        asking.join()
    finally:
        (folder / BUSY).unlink(missing_ok=True)
    problem = assert_problem(busy, 429, "throttled", retry_after=True)
    assert logged(moody, problem["request_id"])["code"] == "throttled"
    problem = assert_problem(slow[0], 504, "model_timeout", retry_after=True)
    assert logged(moody, problem["request_id"])["reason"] == "ReadTimeoutError"


def test_crashed_and_warming_up(moody: Any, folder: Path) -> None:
    """A model that dies and takes long to come back is 503 model_warming_up, deep health says so too; then well."""
    until(lambda: moody.post({"inputs": "hello"}).status_code == 200)
    try:
        problem = assert_problem(moody.post({"inputs": CRASHED}), 503, "model_warming_up", retry_after=True)
        health = requests.get(f"{moody.status['api_url']}/v1/health?deep=true", timeout=40)
        assert_problem(health, 503, "model_warming_up", retry_after=True)
        line = logged(moody, problem["request_id"])
        assert (line["code"], line["container_status"]) == ("model_warming_up", 503)
        assert requests.get(f"{moody.status['api_url']}/v1/health", timeout=40).status_code == 200
    finally:
        (folder / CRASHED).unlink(missing_ok=True)
    until(lambda: moody.post({"inputs": "hello"}).status_code == 200, 90)
