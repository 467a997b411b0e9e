"""The metrics that AWS's services publish by themselves: Lambda, API Gateway, Step Functions, and what logs carry.

ministack has four of them, and those of Lambda only for calls of its Invoke API.
"""

from __future__ import annotations

import contextvars
import time
from datetime import datetime
from typing import Any

from ministack.services import apigateway_v1 as gateway
from ministack.services import lambda_svc, stepfunctions

from local.emulator.cloudwatch import embedded_metrics
from local.emulator.cloudwatch.metric_store import record

_STATE_METRICS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}

_integration_seconds: contextvars.ContextVar[list[float] | None] = contextvars.ContextVar(
    "local_integration_seconds", default=None
)


def install() -> None:
    """Watch the places that every invocation, request and execution passes."""
    _install_lambda()
    _install_logs()
    _install_api_gateway()
    _install_step_functions()


def _install_lambda() -> None:
    dispatch = lambda_svc._execute_function_dispatch

    def _execute_function_dispatch(func: dict, config: dict, event: Any, request_id: str, started: float) -> dict:
        name = config.get("FunctionName", "unknown")
        in_flight = lambda_svc.executions_in_flight()[1].get(lambda_svc._inflight_key(config), 1)
        result = dispatch(func, config, event, request_id, started)
        dimensions = {"FunctionName": name}
        failed = float(bool(isinstance(result, dict) and result.get("error")))
        counts = {"Invocations": 1.0, "Errors": failed, "Throttles": 0.0, "ConcurrentExecutions": float(in_flight)}
        record("AWS/Lambda", counts, dimensions=dimensions)
        duration = 1000 * (time.time() - started)
        record("AWS/Lambda", {"Duration": duration}, unit="Milliseconds", dimensions=dimensions)
        return result

    def _emit_lambda_metrics(function_name: str, duration_ms: float, error: bool, throttle: bool) -> None:
        # Called where a throttled invocation ends, and again by the Invoke API with the time that passed.
        if throttle and not duration_ms:
            record("AWS/Lambda", {"Throttles": 1.0}, dimensions={"FunctionName": function_name})

    lambda_svc._execute_function_dispatch = _execute_function_dispatch
    lambda_svc._emit_lambda_metrics = _emit_lambda_metrics


def _install_logs() -> None:
    emit_logs = lambda_svc._emit_lambda_logs

    def _emit_lambda_logs(func: dict, request_id: str, log_text: str, *rest: Any, **options: Any) -> None:
        emit_logs(func, request_id, log_text, *rest, **options)
        for line in (log_text or "").splitlines():
            for found in embedded_metrics.measurements(line.strip()):
                for value in found.values:
                    record(found.namespace, {found.name: value}, unit=found.unit, dimensions=found.dimensions)

    lambda_svc._emit_lambda_logs = _emit_lambda_logs


def _install_api_gateway() -> None:
    execute = gateway._handle_execute_in_scope
    invoke_proxy = gateway._invoke_lambda_proxy_v1

    async def _invoke_lambda_proxy_v1(*args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return await invoke_proxy(*args, **kwargs)
        finally:
            if (seconds := _integration_seconds.get()) is not None:
                seconds.append(time.perf_counter() - started)

    async def _handle_execute_in_scope(api_id: str, stage_name: str, *rest: Any) -> Any:
        api = gateway._rest_apis.get(api_id)
        if not api or stage_name not in gateway._stages_v1.get(api_id, {}):
            return await execute(api_id, stage_name, *rest)
        integration: list[float] = []
        token = _integration_seconds.set(integration)
        started = time.perf_counter()
        try:
            response = await execute(api_id, stage_name, *rest)
        finally:
            _integration_seconds.reset(token)
        status = response[0]
        counts = {"Count": 1.0, "4XXError": float(400 <= status < 500), "5XXError": float(status >= 500)}
        times = {"Latency": 1000 * (time.perf_counter() - started)}
        if integration:
            times["IntegrationLatency"] = 1000 * integration[0]
        for dimensions in ({"ApiName": api["name"]}, {"ApiName": api["name"], "Stage": stage_name}):
            record("AWS/ApiGateway", counts, dimensions=dimensions)
            record("AWS/ApiGateway", times, unit="Milliseconds", dimensions=dimensions)
        return response

    gateway._invoke_lambda_proxy_v1 = _invoke_lambda_proxy_v1
    gateway._handle_execute_in_scope = _handle_execute_in_scope


def _install_step_functions() -> None:
    emit_status = stepfunctions._emit_execution_status_event

    def _emit_execution_status_event(execution: dict) -> None:
        dimensions = {"StateMachineArn": execution["stateMachineArn"]}
        if metric := _STATE_METRICS.get(execution["status"]):
            record("AWS/States", {metric: 1.0}, dimensions=dimensions)
        if execution.get("stopDate"):
            taken = _moment(execution["stopDate"]) - _moment(execution["startDate"])
            record("AWS/States", {"ExecutionTime": 1000 * taken}, unit="Milliseconds", dimensions=dimensions)
        emit_status(execution)

    stepfunctions._emit_execution_status_event = _emit_execution_status_event


def _moment(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else datetime.fromisoformat(str(value)).timestamp()
