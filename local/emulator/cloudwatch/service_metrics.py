"""The metrics that AWS's services publish themselves: Lambda, API Gateway, Step Functions, and those in log lines.

ministack has four of them, and those of Lambda only for calls of its Invoke API.
"""

import contextvars
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

from ministack.services import apigateway_v1 as gateway
from ministack.services import cloudwatch_logs, lambda_svc

from local.emulator.cloudwatch.metric_store import record
from local.emulator.common.patching import Original, Record
from local.emulator.functions.environments import NoEnvironmentError

_STREAM = "0" * 32  # of the one environment that all log to
_MOST_LINES = 20_000  # of a function that are kept
_logging = threading.Lock()
_integration_seconds: contextvars.ContextVar[list[float] | None] = contextvars.ContextVar(
    "local_integration_seconds", default=None
)


def execute_function(
    original: Original, func: Record, config: Record, event: Any, request_id: str, started: float
) -> Any:
    """Record every invocation of a function, and throttle those for which this machine has no environment."""
    dimensions = {"FunctionName": config.get("FunctionName", "unknown")}
    in_flight = lambda_svc.executions_in_flight()[1].get(lambda_svc._inflight_key(config), 1)
    try:
        result = original(func, config, event, request_id, started)
    except NoEnvironmentError:  # neither an invocation nor an error
        record("AWS/Lambda", {"Throttles": 1.0}, dimensions=dimensions)
        return lambda_svc._throttle_response("ConcurrentInvocationLimitExceeded", "")
    failed = float(bool(isinstance(result, dict) and result.get("error")))
    counts = {"Invocations": 1.0, "Errors": failed, "Throttles": 0.0, "ConcurrentExecutions": float(in_flight)}
    record("AWS/Lambda", counts, dimensions=dimensions)
    record("AWS/Lambda", {"Duration": 1000 * (time.time() - started)}, unit="Milliseconds", dimensions=dimensions)
    return result


def emit_lambda_metrics(
    original: Original, function_name: str, duration_ms: float, error: bool, throttle: bool
) -> None:
    """Record a throttled invocation, which `execute_function` never sees, in place of ministack's metrics."""
    # ministack calls this where a throttled invocation ends, and again in the Invoke API with a duration.
    if throttle and not duration_ms:
        record("AWS/Lambda", {"Throttles": 1.0}, dimensions={"FunctionName": function_name})


def emit_lambda_logs(
    original: Original, func: Record, request_id: str, log_text: str, *rest: Any, **options: Any
) -> None:
    """Record the metrics in a function's log lines; keep these in one stream a day, and no more than the latest.

    ministack opens a stream for every invocation and keeps all lines for ever, which saving the state copies.
    """
    config = func.get("config") or func
    name = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config.get('FunctionName', 'unknown')}"
    with _logging:
        before = set(cloudwatch_logs._log_groups.get(name, {}).get("streams", ()))
        original(func, request_id, log_text, *rest, **options)
        streams = cloudwatch_logs._log_groups.get(name, {}).get("streams", {})
        for opened in streams.keys() - before:
            latest = streams.pop(opened)
            shared = streams.setdefault(f"{opened.partition(']')[0]}]{_STREAM}", latest)
            if shared is not latest:
                cloudwatch_logs._append_log_events(shared, latest["events"])
                del shared["events"][:-_MOST_LINES]
    for line in (log_text or "").splitlines():
        for namespace, name, value, unit, dimensions in measurements(line.strip()):
            record(namespace, {name: value}, unit=unit, dimensions=dimensions)


async def invoke_lambda_proxy(original: Original, *args: Any, **kwargs: Any) -> Any:
    """Measure how long a request's integration takes."""
    started = time.perf_counter()
    try:
        return await original(*args, **kwargs)
    finally:
        if (seconds := _integration_seconds.get()) is not None:
            seconds.append(time.perf_counter() - started)


async def handle_execute(original: Original, api_id: str, stage_name: str, *rest: Any) -> Any:
    """Record every request to a REST API, for the API and for its stage."""
    api = gateway._rest_apis.get(api_id)
    if not api or stage_name not in gateway._stages_v1.get(api_id, {}):
        return await original(api_id, stage_name, *rest)
    integration: list[float] = []
    token = _integration_seconds.set(integration)
    started = time.perf_counter()
    try:
        response = await original(api_id, stage_name, *rest)
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


def emit_execution_status_event(original: Original, execution: Record) -> None:
    """Record the start and the end of executions."""
    dimensions = {"StateMachineArn": execution["stateMachineArn"]}
    status = execution["status"]
    metric = "Started" if status == "RUNNING" else status.title().replace("_", "")  # e.g. TimedOut
    record("AWS/States", {f"Executions{metric}": 1.0}, dimensions=dimensions)
    original(execution)


# Namespace, name, value, unit and dimensions of one value of a metric.
Measurement = tuple[str, str, float, str, dict[str, str]]


def measurements(line: str) -> Iterator[Measurement]:
    """Yield the metrics in a log line in CloudWatch's embedded metric format; none for any other line."""
    if not line.startswith("{") or '"_aws"' not in line:
        return
    try:
        document = json.loads(line)
        directives = document["_aws"]["CloudWatchMetrics"]
        yield from [found for directive in directives for found in _directive(document, directive)]
    except (ValueError, KeyError, TypeError):
        return


def _directive(document: dict[str, Any], directive: dict[str, Any]) -> Iterator[Measurement]:
    for names in directive["Dimensions"]:
        dimensions = {name: str(document[name]) for name in names}
        for metric in directive["Metrics"]:
            given = document[metric["Name"]]
            unit = metric.get("Unit", "None")
            for value in given if isinstance(given, list) else [given]:
                yield directive["Namespace"], metric["Name"], float(value), unit, dimensions
