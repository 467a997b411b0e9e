"""Recommend memory and concurrency of a serverless endpoint."""

import argparse
import json
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from typing import Any

from operations import paths
from operations.aws import registry
from operations.aws.deployment import connect
from operations.console import Answer, filled, say
from operations.errors import OperationError
from operations.local_cloud.images import serving_images
from operations.sizing import sizes
from operations.sizing.http_load import load
from operations.sizing.server import ImageServer, PeakMemory, Server, last_core
from operations.sizing.sizes import Measured

SAMPLE = paths.ROOT / "training_job" / "data" / "test.json"
LONGEST_LIST = 100  # the API takes no more
VARIABLES = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "HF_TASK": "text-classification", "HF_HUB_OFFLINE": "1"}


@dataclass(frozen=True)
class Case:
    """One kind of request, and how many of them are sent at once."""

    name: str
    texts: list[str]
    at_once: int = 1


def cases(sentences: Sequence[str]) -> list[Case]:
    """Return every kind of request, from the shortest to the largest: the API's limits, and many at once."""
    by_length = sorted(sentences, key=len)
    usual, long = by_length[len(by_length) // 2], by_length[-1]
    mixed = [by_length[index * (len(by_length) - 1) // 15] for index in range(16)]
    longest = (" ".join(by_length[-20:]) * 5)[:2000]  # beyond any maximum length
    return [
        Case("1 sentence, median length", [usual]),
        Case("1 sentence, the longest", [long]),
        Case("1 text of 2,000 characters", [longest]),
        Case("16 sentences of all lengths", mixed),
        Case(f"{LONGEST_LIST} texts of 2,000 characters", [longest] * LONGEST_LIST),
        Case("1 sentence, 4 at once", [usual], at_once=4),
        Case("16 sentences, 16 at once", mixed, at_once=16),
    ]


def size_endpoint(arguments: argparse.Namespace) -> Answer:
    """Measure a model's memory and latency in its server; recommend memory and concurrency of a serverless endpoint.

    The server runs here on one core; what a memory size costs and how fast it is on AWS is estimated from that.
    For example: make size-endpoint ARTIFACT=model.tar.gz ARGS="--requests-per-second 50"
    """
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    sentences = [json.loads(line)["sentence"] for line in lines if line.strip()]
    with tempfile.TemporaryDirectory() as scratch:
        image = ""
        if arguments.artifact is None:
            deployment = connect(arguments.env)
            package = registry.package(deployment, deployment.released_package)
            image, (model_dir, _) = package.image, registry.fetch(deployment, Path(scratch), package)
        elif arguments.artifact.is_dir():
            model_dir = arguments.artifact.resolve()
        else:
            model_dir = registry.unpack(arguments.artifact, Path(scratch))
        container = arguments.container or ("huggingface" if "/huggingface-" in image else "slim")
        with (
            ImageServer(serving_images()[container], model_dir, variables=VARIABLES, core=last_core()) as server,
            PeakMemory(server.process.pid) as memory,
        ):
            seconds = server.await_answer(sentences[0])
            say(
                f"Server of the container {container}, on one core: first answer after {seconds:.2f} s, "
                f"{memory.megabytes:.0f} MB\n"
            )
            measured = measure(server, memory, cases(sentences), arguments.seconds)
    return Answer(report(measured, price=arguments.price, requests_per_second=arguments.requests_per_second), "")


def measure(server: Server, memory: PeakMemory, kinds: Sequence[Case], seconds: float) -> Measured:
    """Send every kind of request for `seconds`, print what it took, and return what the estimates need."""
    say(f"  {'request':32} {'p50 ms':>9} {'p99 ms':>9} {'requests':>9} {'peak MB':>9}")
    found = []
    for case in kinds:
        body = json.dumps({"inputs": case.texts if len(case.texts) > 1 else case.texts[0]}).encode()
        # The largest lists take seconds each; a few of them have to do.
        enough = 20 if len(case.texts) < LONGEST_LIST else 2
        took = load(server.port, [body], connections=case.at_once, requests=inf, seconds=seconds, at_least=enough)
        found.append(took)
        figures = f"{took.milliseconds(0.5):9.1f} {took.milliseconds(0.99):9.1f} {len(took.seconds):9}"
        say(f"  {case.name:32} {figures} {memory.megabytes:9.0f}")
    usual, _, _, some, largest, *_ = found
    return Measured(
        peak_mb=memory.megabytes,
        mean_seconds=statistics.fmean(usual.seconds),
        busy_seconds=some.milliseconds(0.99) / 1000,
        slow_seconds=largest.milliseconds(0.99) / 1000,
    )


def report(measured: Measured, *, price: float, requests_per_second: float) -> dict[str, Any]:
    """Print the table of sizes and what to put into cdk.json, and return both; refuse a model that fits into none."""
    estimated = sizes.estimate(measured, price=price)
    advice, concurrency = sizes.recommend(estimated, requests_per_second) or (None, 0)
    serving = {"memory_mb": advice.memory_mb, "max_concurrency": concurrency} if advice else None
    text = filled(
        "sizing/report.txt.jinja",
        sizes=estimated,
        advice=advice,
        faster=next((size for size in estimated if size.vcpu == 1 and size.fits), None),
        serving=json.dumps(serving) if serving else "",
        price=price,
        rate=requests_per_second,
        margin=sizes.MEMORY_MARGIN,
        burst=sizes.BURST,
        mb_per_vcpu=sizes.MB_PER_VCPU,
    )
    say(text)
    found = {"measured": asdict(measured), "sizes": [asdict(size) for size in estimated], "serving": serving}
    if serving is None:
        raise OperationError(
            f"{measured.peak_mb:.0f} MB and the margin are more than the largest serverless endpoint has.",
            hint='a smaller model, or "kind": "instances" in the serving block of cdk.json',
            document=found,
        )
    return found
