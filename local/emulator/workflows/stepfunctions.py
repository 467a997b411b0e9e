"""State machines act with the rights of their role, and can run SageMaker jobs.

ministack lets a state machine do anything and has no SageMaker integration. This module checks every task against
the state machine's role: calls that go to a service are made with the role's credentials; what ministack carries out
itself is decided before. EventBridge rules start a state machine with the rights of the target's role.
"""

import contextvars
import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc, stepfunctions

from local.emulator.access import front_door, identity
from local.emulator.common.errors import CannotAssumeRoleError
from local.emulator.common.patching import Original, Record
from local.emulator.state import persistence
from local.emulator.workflows import sdk_calls, state_language

logger = logging.getLogger("local.stepfunctions")

_PRINCIPAL = "states.amazonaws.com"
_RULES_PRINCIPAL = "events.amazonaws.com"
_SDK_TASK = re.compile(r"^arn:aws:states:::aws-sdk:([^:]+):([^.:]+)$")
_SAGEMAKER_TASK = re.compile(r"^arn:aws:states:::sagemaker:([^.:]+)(\.sync)?$")


@dataclass(frozen=True)
class _Execution:
    """The running execution that a task belongs to."""

    arn: str
    credentials: identity.Credentials

    @property
    def running(self) -> bool:
        return (stepfunctions._executions.get(self.arn) or {}).get("status") == "RUNNING"

    def client(self, service: str) -> Any:
        return front_door.client(service, self.credentials)

    def require(self, action: str, resource: str, error: str) -> None:
        """Raise ministack's error `error` where the role may not take an action."""
        if message := identity.denial(self.credentials.access_key_id, action, resource):
            raise stepfunctions._ExecutionError(error, message)


_execution: contextvars.ContextVar[_Execution | None] = contextvars.ContextVar("local_sfn_execution", default=None)
_timed_out: contextvars.ContextVar[threading.Event | None] = contextvars.ContextVar("local_sfn_timeout", default=None)


def run_execution(original: Original, arn: str) -> None:
    """Assume the state machine's role and start the timeout, then run the execution."""
    record = stepfunctions._executions.get(arn)
    machine = stepfunctions._state_machines.get(record["stateMachineArn"]) if record else None
    timer = None
    if machine:
        try:
            credentials = identity.assume_service_role(machine["roleArn"], _PRINCIPAL, record["name"])
        except CannotAssumeRoleError as error:
            stepfunctions._fail_execution(record, "States.Runtime", str(error))
            return
        _execution.set(_Execution(arn, credentials))  # in this thread's own copy of the context
        _timed_out.set(None)  # it is another execution's where one starts the other
        timer = state_language.time_limit(record, machine["definition"])
    original(arn)
    if timer:
        timer.cancel()


def invoke_resource(original: Original, resource: str, input_data: Any) -> Any:
    """Carry out a task with the rights of the execution's role."""
    execution = _execution.get()
    if execution is None:
        return original(resource, input_data)
    if not execution.running:  # ministack would go through the remaining states of a Map
        raise stepfunctions._ExecutionError("States.Runtime", "The execution has ended.")
    try:
        if match := _SAGEMAKER_TASK.match(resource):
            return _sagemaker(execution, match.group(1), input_data, wait=bool(match.group(2)))
        match = _SDK_TASK.match(resource)
        if match and match.group(1) in sdk_calls.ERROR_PREFIXES:
            service, action = match.groups()
            client = execution.client(sdk_calls.BOTO3_NAMES.get(service, service))
            return sdk_calls.call(client, service, action, input_data)
    except sdk_calls.TaskError as failure:
        raise stepfunctions._ExecutionError(failure.error, failure.cause) from failure
    _check(execution, resource, input_data)
    return original(resource, input_data)


def invoke_resource_with_timeout(original: Original, resource: str, input_data: Any, timeout: float) -> Any:
    """Let a job that the task waits for be stopped at the timeout: ministack leaves the task's thread running."""
    expired = threading.Event()
    token = _timed_out.set(expired)
    try:
        return original(resource, input_data, timeout)
    finally:
        expired.set()
        _timed_out.reset(token)


def emit_execution_status_event(original: Original, record: Record) -> None:
    """Save an execution that has just started, so that a kill does not lose it; note other changes for saving."""
    if record["status"] == "RUNNING":
        persistence.save_state(["stepfunctions"])
    persistence.note_change("stepfunctions")
    original(record)


def _sagemaker(execution: _Execution, action: str, parameters: Mapping[str, Any], *, wait: bool) -> Any:
    """Carry out the optimized integration `arn:aws:states:::sagemaker:<action>[.sync]`."""
    client = execution.client("sagemaker")
    if not wait:
        return sdk_calls.call(client, "sagemaker", action, parameters, general_error=sdk_calls.GENERAL_ERROR)
    if action not in sdk_calls.SYNC_JOBS:
        raise sdk_calls.TaskError("States.Runtime", f"sagemaker:{action}.sync is not part of the local cloud.")
    # `.sync` works by a managed EventBridge rule, which the role has to be allowed to make.
    kind = sdk_calls.SYNC_JOBS[action].removeprefix("HyperParameter")
    rule = f"StepFunctionsGetEventsForSageMaker{kind}sRule"
    arn = f"arn:aws:events:{get_region()}:{get_account_id()}:rule/{rule}"
    for further_action in ("events:PutRule", "events:PutTargets", "events:DescribeRule"):
        execution.require(further_action, arn, "States.Runtime")
    expired = _timed_out.get()

    def abandoned() -> bool:
        return bool(expired and expired.is_set()) or not execution.running

    return sdk_calls.run_job(client, action, parameters, abandoned)


def _check(execution: _Execution, resource: str, input_data: Any) -> None:
    """Decide a task that ministack carries out itself. Raises its _ExecutionError when the role may not."""
    parameters = input_data if isinstance(input_data, Mapping) else {}
    if ":states:::lambda:invoke" in resource:
        function = str(parameters.get("FunctionName", ""))
        arn = function if function.startswith("arn:") else lambda_svc._func_arn(function)
        execution.require("lambda:InvokeFunction", arn, "Lambda.AWSLambdaException")
    elif ":states:::sns:publish" in resource:
        execution.require("sns:Publish", str(parameters.get("TopicArn", "*")), "SNS.AmazonSNSException")
    else:
        raise stepfunctions._ExecutionError("States.Runtime", f"{resource} is not part of the local cloud.")


def invoke_target(original: Original, target: Record, event: Record, rule: Record, view: Any = None) -> None:
    """Check the role of a target that is a state machine, then invoke the target."""
    arn = target.get("Arn", "")
    if ":states:" in arn and (problem := _target_problem(target, rule)):
        # AWS drops such an event as well, and counts it in FailedInvocations.
        logger.warning("Rule %s does not start %s: %s", rule.get("Name", ""), arn, problem)
        return
    original(target, event, rule, view)


def _target_problem(target: Record, rule: Record) -> str:
    """Return why the rule may not start the target's state machine, or an empty string."""
    if not target.get("RoleArn"):
        return "the target has no RoleArn."
    try:
        credentials = identity.assume_service_role(target["RoleArn"], _RULES_PRINCIPAL, rule.get("Name", "rule"))
    except CannotAssumeRoleError as error:
        return str(error)
    return identity.denial(credentials.access_key_id, "states:StartExecution", target["Arn"])
