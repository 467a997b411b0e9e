"""`sagemaker:create…Job.sync`: one waiting loop for every kind of job."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from local.emulator.workflows import sdk_calls
from local.emulator.workflows.sdk_calls import TaskError

_REQUESTS: dict[str, dict[str, Any]] = {
    "createTrainingJob": {"TrainingJobName": "j"},
    "createTransformJob": {"TransformJobName": "j"},
    "createProcessingJob": {"ProcessingJobName": "j"},
    "createHyperParameterTuningJob": {"HyperParameterTuningJobName": "j"},
}


class FakeSageMaker:
    """Answers with one status after the other, and records the calls."""

    def __init__(self, *statuses: str) -> None:
        self.meta = boto3.client("sagemaker", region_name="us-east-1").meta
        self.calls: list[str] = []
        self._statuses = list(statuses)

    def _make_api_call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(operation)
        if not operation.startswith("Describe"):
            return {}
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        noun = operation.removeprefix("Describe")
        return {f"{noun}Status": status, "FailureReason": "it smells", "ResponseMetadata": {}}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdk_calls, "_POLL_SECONDS", 0)


@pytest.mark.parametrize("action", sdk_calls.SYNC_JOBS)
def test_a_completed_job_gives_its_description(action: str) -> None:
    """The result is the description, without the SDK's own members."""
    client = FakeSageMaker("InProgress", "Completed")
    result = sdk_calls.run_job(client, action, _REQUESTS[action], lambda: False)
    noun = sdk_calls.SYNC_JOBS[action]
    assert result == {f"{noun}Status": "Completed", "FailureReason": "it smells"}
    assert client.calls == [f"Create{noun}", f"Describe{noun}", f"Describe{noun}"]


@pytest.mark.parametrize("action", sdk_calls.SYNC_JOBS)
def test_a_failed_job_fails_the_task_with_its_description(action: str) -> None:
    """The cause of States.TaskFailed is the whole description."""
    with pytest.raises(TaskError) as failed:
        sdk_calls.run_job(FakeSageMaker("Failed"), action, _REQUESTS[action], lambda: False)
    assert failed.value.error == "States.TaskFailed"
    assert json.loads(failed.value.cause)["FailureReason"] == "it smells"


@pytest.mark.parametrize("action", sdk_calls.SYNC_JOBS)
def test_a_job_nobody_waits_for_is_stopped_once(action: str) -> None:
    """When the execution has ended, the job is stopped, and the task waits for its end."""
    client = FakeSageMaker("InProgress", "Stopping", "Stopped")
    with pytest.raises(TaskError):
        sdk_calls.run_job(client, action, _REQUESTS[action], lambda: True)
    noun = sdk_calls.SYNC_JOBS[action]
    assert [call for call in client.calls if call.startswith("Stop")] == [f"Stop{noun}"]
