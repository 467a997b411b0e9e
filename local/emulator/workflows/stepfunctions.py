"""State machines act with the rights of their role, and know SageMaker.

ministack lets a state machine do anything and has no SageMaker integration. Here every task of an execution is checked
against the state machine's role: calls that go to a service are made with the role's credentials, the others are
decided before ministack carries them out.
"""

from __future__ import annotations

import contextvars
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc, stepfunctions

from local.emulator.access import identity
from local.emulator.access.front_door import FrontDoor
from local.emulator.common.errors import CannotAssumeRole
from local.emulator.state import persistence
from local.emulator.workflows import sagemaker_jobs, sdk_calls, state_language

_PRINCIPAL = "states.amazonaws.com"
_SDK_TASK = re.compile(r"^arn:aws:states:::aws-sdk:([^:]+):([^.:]+)$")
_SAGEMAKER_TASK = re.compile(r"^arn:aws:states:::sagemaker:([^.:]+)(\.sync)?$")


@dataclass(frozen=True)
class _Execution:
    """The running execution a task belongs to."""

    arn: str
    credentials: identity.Credentials


_execution: contextvars.ContextVar[_Execution | None] = contextvars.ContextVar("local_sfn_execution", default=None)
_timed_out: contextvars.ContextVar[threading.Event | None] = contextvars.ContextVar("local_sfn_timeout", default=None)


def install(front_door: FrontDoor) -> None:
    """Put the role in front of every task."""
    state_language.install()
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
            _timed_out.set(None)  # another execution's, where one starts the other
            timer = state_language.time_limit(record, machine["definition"])
        run_execution(arn)
        if machine and timer:
            timer.cancel()

    def _invoke_resource(resource: str, input_data: Any) -> Any:
        execution = _execution.get()
        if execution is None:
            return invoke_resource(resource, input_data)
        if not _running(execution):  # ministack would go through the other states of a Map
            raise stepfunctions._ExecutionError("States.Runtime", "The execution has ended.")
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

    emit_status = stepfunctions._emit_execution_status_event

    def _emit_execution_status_event(record: dict) -> None:
        if record["status"] == "RUNNING":  # just started: it must not be forgotten by a kill
            persistence.save_state(["stepfunctions"])
        persistence.note_change("stepfunctions")
        emit_status(record)

    stepfunctions._emit_execution_status_event = _emit_execution_status_event
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
        return sdk_calls.call(client, "sagemaker", action, parameters, general_error=sagemaker_jobs.GENERAL_ERROR)
    job = sagemaker_jobs.SYNC_JOBS.get(action)
    if job is None:
        raise sdk_calls.TaskError("States.Runtime", f"sagemaker:{action}.sync is not part of the local cloud.")
    _check_rule(execution, job.rule)
    expired = _timed_out.get()

    def abandoned() -> bool:
        return bool(expired and expired.is_set()) or not _running(execution)

    return sagemaker_jobs.run(client, action, parameters, abandoned)


def _running(execution: _Execution) -> bool:
    return (stepfunctions._executions.get(execution.arn) or {}).get("status") == "RUNNING"


def _check_rule(execution: _Execution, rule: str) -> None:
    """``.sync`` works by a managed EventBridge rule, which the role has to be allowed to make."""
    arn = f"arn:aws:events:{get_region()}:{get_account_id()}:rule/{rule}"
    for action in ("events:PutRule", "events:PutTargets", "events:DescribeRule"):
        _require(execution, action, arn, "States.Runtime")


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
