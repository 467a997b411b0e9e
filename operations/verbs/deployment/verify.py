"""Whether a deployment does what it is for: asked after it, at its API, its metrics and its workflow."""

import argparse
import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import requests
from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_fixed

from operations.aws import executions, inventory, training
from operations.aws.deployment import PROJECT, Deployment, connect
from operations.checks import FAILED, NOTE, OK, Check, guarded, judged, table
from operations.console import Answer
from text_classifier import RetryPolicy

TEXT = {"inputs": "The zoom is sharp up to 200 mm, then it gets soft."}
PATIENCE = RetryPolicy(seconds=60.0)  # a serverless endpoint starts with the first request
BUSY = Retrying(
    retry=retry_if_result(lambda answer: answer[0] is None),
    stop=stop_after_attempt(10),
    wait=wait_fixed(2),
    retry_error_callback=lambda state: state.outcome and state.outcome.result(),
)
PREDICTIONS = "/v1/predictions"
CORS, PROBLEM = "Access-Control-Allow-Origin", "application/problem+json"
ON_EVENT = {
    "an execution that ends so": r"Executions\w+",
    "a request that is answered so": "Problem.*",
    "a prediction of this kind": r"(Confidence|Length)(Below|From|\d+To)\d+",
    "a drift check of enough predictions": r"\w*Drift|JudgedPredictions",
    "a start of a serverless endpoint": "ModelSetupTime",
}
"""Event → the metrics that first appear with it. All others appear with any traffic."""
_SEARCH = re.compile(r"SEARCH\('\{([^}]*)\} \S+ (?:MetricName=)?\"?(\w+)\"?'")
Metric = tuple[str, str, frozenset[Any]]
"""Namespace, name, dimensions; of a search the first word of the name, and the names of the dimensions."""


def verify(arguments: argparse.Namespace) -> Answer:
    """Check a deployment: health, model, errors, key, limits, metrics of alarms and dashboard, workflow.

    A few requests are sent, and the training workflow checks an input and stops. No load is made and nothing is
    changed. The exit code is 1 if a check failed or could not be made.
    For example: make verify ENV=dev, make verify ENV=dev ARGS=--json
    """
    deployment = connect(arguments.env)
    deployment.output("ApiUrl")  # without one nothing is deployed, and the error says so
    return table(guarded((_health, _prediction, _model, _errors, _limits, _metrics, _workflow), deployment))


def _health(deployment: Deployment) -> Iterator[Check]:
    with deployment.api_client() as client:
        yield Check("health", OK, str(client.health()["status"]))


def _prediction(deployment: Deployment) -> Iterator[Check]:
    with deployment.api_client(retry=PATIENCE) as client:
        yield Check("prediction", OK, client.score(TEXT["inputs"]).label)


def _model(deployment: Deployment) -> Iterator[Check]:
    (version, said), released = BUSY(deployment.ask_model), deployment.model_version
    step = f"make logs ENV={deployment.env}; make rollback ENV={deployment.env} PACKAGE={released} releases it anew"
    good = version is not None and released in (None, version)
    said += "" if good or not released else f"; released is version {released}"
    yield judged("deep health", good, said, step if released else f"make train ENV={deployment.env}")


def _errors(deployment: Deployment) -> Iterator[Check]:
    url, key = deployment.api_url or "", {"x-api-key": deployment.api_key} if deployment.api_key else {}
    ask = partial(requests.request, timeout=35)
    asked = [("error of gateway", 400, ask("POST", url + PREDICTIONS, json={}, headers=key))]
    asked.append(("error of function", 400, ask("GET", url + "/v1/health?deep=perhaps")))
    if key:
        asked.append(("without a key", 403, ask("POST", url + PREDICTIONS, json=TEXT)))
    else:
        yield Check("key", NOTE, "anybody may ask", "-c api.api_key_required=true asks for one")
    for name, status, answer in asked:
        found = (answer.status_code, answer.headers.get("Content-Type"), answer.headers.get(CORS))
        step = f"expected are {status}, {PROBLEM} and *: cdk deploy {PROJECT}-{deployment.env}-api"
        yield judged(name, found == (status, PROBLEM, "*"), "{}, {}, {cors}: {}".format(*found, cors=CORS), step)


def _limits(deployment: Deployment) -> Iterator[Check]:
    gateway, api = deployment.client("apigateway"), deployment.output("ApiId")
    stage = gateway.get_stage(restApiId=api, stageName=deployment.output("ApiStage"))
    limits = {path.replace("~1", "/").strip("/"): one for path, one in stage.get("methodSettings", {}).items()}
    limit = limits.get(f"{PREDICTIONS.strip('/')}/POST", limits.get("*/*", {}))
    rate, burst = limit.get("throttlingRateLimit", 0), limit.get("throttlingBurstLimit", 0)
    refusal = gateway.get_gateway_response(restApiId=api, responseType="THROTTLED")
    sent = {name.rpartition(".")[2]: value.strip("'") for name, value in refusal["responseParameters"].items()}
    wait, origin, status = sent.get("Retry-After", ""), sent.get(CORS), refusal.get("statusCode")
    found = f"{rate:g} predictions/s, {burst} at once; more: {status}, Retry-After: {wait}, {CORS}: {origin}"
    good = rate > 0 and burst > 0 and (status, origin, wait.isdecimal()) == ("429", "*", True)
    yield judged("throttling", good, found, "set api.predictions_rate_limit, deploy")
    if key := deployment.outputs.get("ApiKeyId"):
        plans = [one for one in gateway.get_usage_plans(keyId=key)["items"] if api in str(one.get("apiStages"))]
        told = [f"{name} {plan.get(name, 'none')}" for plan in plans for name in ("throttle", "quota")]
        step = "cdk deploy the api stack: the key is in no plan of this API"
        yield judged("usage plan", bool(plans), ", ".join(told), step)


def _metrics(deployment: Deployment) -> Iterator[Check]:
    cloudwatch, prefix = deployment.client("cloudwatch"), f"{PROJECT}-{deployment.env}-"
    board = json.loads(cloudwatch.get_dashboard(DashboardName=deployment.output("DashboardName"))["DashboardBody"])
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
    mine = inventory.own_names(deployment)
    alarms = [one for page in pages for one in page["MetricAlarms"] if re.search(mine, one["AlarmName"])]
    wanted = {*_of_alarms(alarms), *_of_dashboard(board)}
    there: set[Metric] = set()
    for namespace in {one[0] for one in wanted}:
        for page in cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace):
            for one in map(_named, page["Metrics"]):
                there |= {one, (one[0], one[1].partition(".")[0], frozenset(dict(one[2])))}
    missing = sorted({name for _, name, _ in wanted - there})
    found = {event: [name for name in missing if re.fullmatch(these, name)] for event, these in ON_EVENT.items()}
    told = f"{len(wanted & there)} of {len(wanted)} metrics of {len(alarms)} alarms and the dashboard are there"
    yield judged("metrics", bool(alarms), told, f"cdk deploy {prefix}monitoring: it has no alarms")
    yield from (Check("come later", NOTE, f"with {one}: {', '.join(of)}") for one, of in found.items() if of)
    if lost := set(missing).difference(*found.values()):
        step = "a new metric is listed within 15 minutes: repeat; then compare stacks/monitoring/monitoring.yaml"
        yield Check("missing metrics", FAILED, ", ".join(sorted(lost)), step)


def _of_alarms(alarms: list[dict[str, Any]]) -> Iterator[Metric]:
    for alarm in alarms:
        queries = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", ()) if "MetricStat" in one]
        yield from map(_named, queries or [alarm])


def _of_dashboard(board: dict[str, Any]) -> Iterator[Metric]:
    for row in (row for widget in board["widgets"] for row in widget["properties"].get("metrics", ())):
        if isinstance(row[0], str):
            namespace, name, *rest = (part for part in row if isinstance(part, str))
            yield namespace, name, frozenset(zip(rest[::2], rest[1::2], strict=True))
            continue
        for schema, word in _SEARCH.findall(row[0].get("expression", "")):
            namespace, *dimensions = schema.replace('"', "").split(",")
            yield namespace, word, frozenset(dimensions)


def _named(metric: dict[str, Any]) -> Metric:
    dimensions = frozenset((one["Name"], one["Value"]) for one in metric.get("Dimensions", ()))
    return metric["Namespace"], metric["MetricName"], dimensions


def _workflow(deployment: Deployment) -> Iterator[Check]:
    execution = executions.start(deployment, deployment.output(training.MACHINE), {"dry_run": True})
    ended = executions.follow(deployment, execution, lambda event: None)
    yield Check("workflow", OK, training.result(ended)["summary"])  # or an error that tells the cause
