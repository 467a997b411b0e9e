"""State machines act with the rights of their role, and know SageMaker.

ministack lets a state machine do anything and has no SageMaker integration. Here every task of an execution is checked
against the state machine's role: calls that go to a service are made with the role's credentials, the others are
decided before ministack carries them out.
"""

from __future__ import annotations

import contextvars
import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc, stepfunctions

from local.emulator import identity, sdk_calls
from local.emulator.errors import CannotAssumeRole
from local.emulator.front_door import FrontDoor

_PRINCIPAL = "states.amazonaws.com"
_POLL_SECONDS = 1.0
_SDK_TASK = re.compile(r"^arn:aws:states:::aws-sdk:([^:]+):([^.:]+)$")
_SAGEMAKER_TASK = re.compile(r"^arn:aws:states:::sagemaker:([^.:]+)(\.sync)?$")
_TRAINING_RULE = "rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"
_GENERAL_ERROR = "AmazonSageMakerException"  # the optimized integration still speaks Java SDK v1
_ENDED = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True)
class _Execution:
    """The running execution a task belongs to."""

    arn: str
    credentials: identity.Credentials


_execution: contextvars.ContextVar[_Execution | None] = contextvars.ContextVar("local_sfn_execution", default=None)
_timed_out: contextvars.ContextVar[threading.Event | None] = contextvars.ContextVar("local_sfn_timeout", default=None)


def install(front_door: FrontDoor) -> None:
    """Put the role in front of every task."""
    run_execution = stepfunctions._run_execution
    invoke_resource = stepfunctions._invoke_resource
    invoke_with_timeout = stepfunctions._invoke_resource_with_timeout

    def _run_execution(arn: str) -> None:
        record = stepfunctions._executions.get(arn)
        machine = stepfunctions._state_machines.get(record["stateMachineArn"]) if record else None
        if machine:
            try:
                credentials = identity.assume_service_role(machine["roleArn"], _PRINCIPAL, record["name"])
            except CannotAssumeRole as error:
                stepfunctions._fail_execution(record, "States.Runtime", str(error))
                return
            _execution.set(_Execution(arn, credentials))  # this thread's own copy of the context
        run_execution(arn)

    def _invoke_resource(resource: str, input_data: Any) -> Any:
        execution = _execution.get()
        if execution is None:
            return invoke_resource(resource, input_data)
        try:
            if match := _SAGEMAKER_TASK.match(resource):
                return _sagemaker(front_door, execution, match.group(1), input_data, wait=bool(match.group(2)))
            match = _SDK_TASK.match(resource)
            if match and match.group(1) in sdk_calls.ERROR_PREFIXES:
                service = match.group(1)
                client = _client(front_door, execution, sdk_calls.BOTO3_NAMES.get(service, service))
                return sdk_calls.call(client, service, match.group(2), input_data)
        except sdk_calls.TaskError as failure:
            raise stepfunctions._ExecutionError(failure.error, failure.cause) from failure
        _check(execution, resource, input_data)
        return invoke_resource(resource, input_data)

    def _invoke_resource_with_timeout(resource: str, input_data: Any, timeout: float) -> Any:
        expired = threading.Event()
        token = _timed_out.set(expired)
        try:
            return invoke_with_timeout(resource, input_data, timeout)
        finally:
            expired.set()  # ministack leaves the task's thread running; a job it waits for has to be stopped
            _timed_out.reset(token)

    stepfunctions._run_execution = _run_execution
    stepfunctions._invoke_resource = _invoke_resource
    stepfunctions._invoke_resource_with_timeout = _invoke_resource_with_timeout


def _client(front_door: FrontDoor, execution: _Execution, service: str) -> Any:
    return front_door.client(service, execution.credentials, get_region())


def _sagemaker(
    front_door: FrontDoor, execution: _Execution, action: str, parameters: Mapping[str, Any], *, wait: bool
) -> dict[str, Any]:
    """The optimized integration ``arn:aws:states:::sagemaker:<action>[.sync]``."""
    client = _client(front_door, execution, "sagemaker")
    if not wait:
        return sdk_calls.call(client, "sagemaker", action, parameters, general_error=_GENERAL_ERROR)
    if action != "createTrainingJob":
        raise sdk_calls.TaskError("States.Runtime", f"sagemaker:{action}.sync is not part of the local cloud.")
    _check_rule(execution)
    try:
        sdk_calls.call(client, "sagemaker", action, parameters, general_error=_GENERAL_ERROR)
        job = _await_training_job(client, execution, parameters["TrainingJobName"])
    except ClientError as error:
        raise sdk_calls.TaskError(f"SageMaker.{_GENERAL_ERROR}", str(error)) from error
    description = json.dumps(job, default=_as_epoch_milliseconds)
    if job["TrainingJobStatus"] != "Completed":
        # As on AWS, the cause is the whole description; FailureReason is one member of it.
        raise sdk_calls.TaskError("States.TaskFailed", description)
    return json.loads(description)


def _await_training_job(client: Any, execution: _Execution, name: str) -> dict[str, Any]:
    expired = _timed_out.get()
    stopping = False
    while True:
        job = client.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] in _ENDED:
            job.pop("ResponseMetadata", None)
            return job
        record = stepfunctions._executions.get(execution.arn) or {}
        if not stopping and ((expired and expired.is_set()) or record.get("status") != "RUNNING"):
            client.stop_training_job(TrainingJobName=name)
            stopping = True
        time.sleep(_POLL_SECONDS)


def _check_rule(execution: _Execution) -> None:
    """``.sync`` works by a managed EventBridge rule, which the role has to be allowed to make."""
    rule = f"arn:aws:events:{get_region()}:{get_account_id()}:{_TRAINING_RULE}"
    for action in ("events:PutRule", "events:PutTargets", "events:DescribeRule"):
        _require(execution, action, rule, "States.Runtime")


def _check(execution: _Execution, resource: str, input_data: Any) -> None:
    """Decide a task that ministack carries out itself. Raises its _ExecutionError when the role may not."""
    account, region = get_account_id(), get_region()
    parameters = input_data if isinstance(input_data, Mapping) else {}
    if ":states:::lambda:invoke" in resource:
        function = str(parameters.get("FunctionName", ""))
        _require(execution, "lambda:InvokeFunction", _function_arn(function), "Lambda.AWSLambdaException")
    elif ":lambda:" in resource and ":function:" in resource:
        _require(execution, "lambda:InvokeFunction", resource, "Lambda.AWSLambdaException")
    elif ":states:::events:putEvents" in resource:
        for entry in parameters.get("Entries", []):
            bus = str(entry.get("EventBusName", "default")).rsplit("/", 1)[-1]
            arn = f"arn:aws:events:{region}:{account}:event-bus/{bus}"
            _require(execution, "events:PutEvents", arn, "EventBridge.EventBridgeException")
    elif ":states:::sns:publish" in resource:
        _require(execution, "sns:Publish", str(parameters.get("TopicArn", "*")), "SNS.AmazonSNSException")
    elif ":states:::states:startExecution" in resource:
        machine = str(parameters.get("StateMachineArn", "*"))
        _require(execution, "states:StartExecution", machine, "StepFunctions.AWSStepFunctionsException")


def _require(execution: _Execution, action: str, resource: str, error: str) -> None:
    key = execution.credentials.access_key_id
    denial = identity.decide(key, action, resource, account=get_account_id(), region=get_region())
    if denial:
        raise stepfunctions._ExecutionError(error, denial.message)


def _function_arn(reference: str) -> str:
    if reference.startswith("arn:"):
        return reference
    name, _, qualifier = reference.partition(":")
    arn = lambda_svc._func_arn(name)
    return f"{arn}:{qualifier}" if qualifier else arn


def _as_epoch_milliseconds(value: Any) -> int:
    return int(value.timestamp() * 1000)
