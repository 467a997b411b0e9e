"""Measure what the API's Lambda adds: its own time a request, the import of its handler, the size of its package.

    python benchmarks/api_overhead.py --requests 300

Needs a local cloud with a model (`make up`). Own time is the Lambda's, warm, from a parsed event to the finished
answer, less the time that the endpoint took, as its log lines say it. Import time is CPU time of a fresh interpreter,
beyond boto3 and its client, which every Lambda that asks an endpoint loads; the least of several runs counts, because
others use the machine too.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import requests

ROOT = Path(__file__).resolve().parent.parent
LAYER = ROOT / "build" / "lambda-layer" / "python"
LOG_GROUP = "/aws/lambda/text-classifier-local-predict"
OWN_LIMIT_MS, IMPORT_LIMIT_MS = 5.0, 120.0

_IMPORT = """
import time, boto3, botocore.config, botocore.exceptions
boto3.client("sagemaker-runtime")
started = time.process_time()
import predict.handler
print((time.process_time() - started) * 1000)
"""


def import_milliseconds(runs: int) -> float:
    """Return the least CPU time that importing the handler took beyond boto3, with the layer's packages alone."""
    path = f"{LAYER}:{ROOT / 'lambda'}"
    environment = {"PYTHONPATH": path, "AWS_DEFAULT_REGION": "us-east-1", "ENDPOINT_NAME": "none"}
    command = [str(ROOT / ".venv-cloud" / "bin" / "python"), "-c", _IMPORT]
    return min(float(subprocess.check_output(command, env=environment, text=True)) for _ in range(runs))


def zipped_bytes(folder: Path) -> int:
    """Return the size of a folder as it is uploaded."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                packed.write(path, path.relative_to(folder))
    return len(archive.getvalue())


def own_milliseconds(status: dict[str, Any], count: int) -> tuple[list[float], list[float]]:
    """Return own and endpoint time of `count` warm requests, from the Lambda's log."""
    url = f"{status['api_url']}/v1/predictions"
    texts = [f"The zoom is sharp up to {number} mm." for number in range(count)]
    with requests.Session() as session:
        for text in texts[:20]:
            session.post(url, json={"inputs": text}, timeout=40).raise_for_status()
        started = time.time()
        for text in texts:
            session.post(url, json={"inputs": text}, timeout=40).raise_for_status()
    time.sleep(2)  # until the last lines are in the log
    logs = boto3.client(
        "logs",
        endpoint_url=status["endpoint_url"],
        region_name=status["region"],
        aws_access_key_id=status["aws_access_key_id"],
        aws_secret_access_key=status["aws_secret_access_key"],
    )
    own, endpoint = [], []
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=LOG_GROUP, startTime=int(started * 1000)):
        for event in page["events"]:
            for line in event["message"].splitlines():
                if '"own_milliseconds"' in line:
                    found = json.loads(line[line.index("{") :])
                    own.append(found["own_milliseconds"])
                    endpoint.append(found["endpoint_milliseconds"])
    return own, endpoint


def main() -> int:
    """Print the figures; 1 if one is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--imports", type=int, default=5)
    parser.add_argument("--status", type=Path, default=ROOT / ".local" / "status.json")
    arguments = parser.parse_args()
    own, endpoint = own_milliseconds(json.loads(arguments.status.read_text()), arguments.requests)
    if not own:
        print("error: the Lambda's log has no line of an answered request")
        return 1
    imported = import_milliseconds(arguments.imports)
    p50, p99 = statistics.median(own), statistics.quantiles(own, n=100)[98]
    print(f"machine          {platform.machine()}, Python {platform.python_version()}")
    print(
        f"own time         p50 {p50:.2f} ms, p99 {p99:.2f} ms over {len(own)} requests (limit: p50 {OWN_LIMIT_MS:g} ms)"
    )
    print(f"endpoint time    p50 {statistics.median(endpoint):.2f} ms")
    print(f"handler import   {imported:.0f} ms of CPU beyond boto3 (limit {IMPORT_LIMIT_MS:g} ms)")
    print(f"package          {zipped_bytes(ROOT / 'lambda' / 'predict') / 1024:.0f} KB zipped")
    print(f"layer            {zipped_bytes(LAYER) / 1024:.0f} KB zipped, shared by the stack's Lambdas")
    return int(p50 > OWN_LIMIT_MS or imported > IMPORT_LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
