"""Measure a model's memory and latency in its server, and recommend memory and concurrency of a serverless endpoint.

The server runs here on one core; what a memory size costs and how fast it is on AWS is estimated from that.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tarfile
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import requests

from operations import command, paths, registry, sizing
from operations.deployment import Deployment, connect
from operations.errors import OperationError
from operations.server_process import ServerProcess
from operations.serving_images import serving_images
from operations.sizing import Measured

SAMPLE = paths.ROOT / "training_job" / "data" / "test.json"
SECONDS = 2.0
"""How long each kind of request is repeated."""

_MIN_REQUESTS = 20
_LONGEST_LIST = 100  # the API takes no more


@dataclass(frozen=True)
class Case:
    """One kind of request, and how many of them are sent at once."""

    name: str
    texts: list[str]
    at_once: int = 1


def cases(sentences: Sequence[str]) -> list[Case]:
    """From the shortest request to the largest: the API's limits, and many at once."""
    by_length = sorted(sentences, key=len)
    usual, long = by_length[len(by_length) // 2], by_length[-1]
    mixed = [by_length[index * (len(by_length) - 1) // 15] for index in range(16)]
    longest = (" ".join(by_length[-20:]) * 5)[:2000]  # beyond any maximum length
    return [
        Case("1 sentence, median length", [usual]),
        Case("1 sentence, the longest", [long]),
        Case("1 text of 2,000 characters", [longest]),
        Case("16 sentences of all lengths", mixed),
        Case(f"{_LONGEST_LIST} texts of 2,000 characters", [longest] * _LONGEST_LIST),
        Case("1 sentence, 4 at once", [usual], at_once=4),
        Case("16 sentences, 16 at once", mixed, at_once=16),
    ]


def repeat(server: ServerProcess, case: Case, seconds: float) -> list[float]:
    """Seconds of each request, in order of length: as many as fit into `seconds`, at least a few."""
    took: list[float] = []
    failures: list[OperationError] = []
    until = time.monotonic() + seconds
    # The largest lists take seconds each; a few of them have to do.
    enough = _MIN_REQUESTS if len(case.texts) < _LONGEST_LIST else 2

    def send() -> None:
        with requests.Session() as session:
            while (time.monotonic() < until or len(took) < enough) and not failures:
                try:
                    took.append(server.ask(session, case.texts))
                except OperationError as error:
                    failures.append(error)

    threads = [threading.Thread(target=send) for _ in range(case.at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sorted(took)


def quantile(took: Sequence[float], share: float) -> float:
    """The value that this share of the sorted values does not exceed."""
    return took[min(len(took) - 1, int(share * len(took)))]


def measure(server: ServerProcess, seconds: float) -> Measured:
    """Send every kind of request and print what it took."""
    found: dict[str, list[float]] = {}
    for case in cases(_sentences()):
        took = found[case.name] = repeat(server, case, seconds)
        command.say(
            f"  {case.name:32} {quantile(took, 0.5) * 1000:9.1f} {quantile(took, 0.99) * 1000:9.1f} "
            f"{len(took):9} {server.peak_mb:9.0f}"
        )
    usual, _, _, some, largest, *_ = found.values()
    return Measured(
        peak_mb=server.peak_mb,
        mean_seconds=statistics.fmean(usual),
        busy_seconds=quantile(some, 0.99),
        slow_seconds=quantile(largest, 0.99),
    )


def report(measured: Measured, *, price: float, requests_per_second: float) -> None:
    """Print the table of sizes and what to put into cdk.json.

    Raises:
        OperationError: the model fits into no serverless endpoint.
    """
    sizes = sizing.estimate(measured, price=price)
    command.say(f"\n  {'memory':>8} {'vCPU':>6} {'sentence':>10} {'largest':>10} {'$ a million':>12}  fits")
    for size in sizes:
        command.say(
            f"  {size.memory_mb:>5} MB {size.vcpu:6.2f} {size.mean_seconds * 1000:7.1f} ms "
            f"{size.slow_seconds:8.2f} s {size.million_dollars:12.4f}  {'yes' if size.fits else 'no'}"
        )
    command.say(
        f"\nEstimated from one core of this machine. Assumed: one vCPU for each {sizing.MB_PER_VCPU} MB, as AWS Lambda "
        "documents it; SageMaker\nsays only that CPU grows with memory. The peak may be "
        f"{1 / sizing.MEMORY_MARGIN:.0%} of a size. Costs: {price:.6f} $ per GB and second (--price),\n"
        "us-east-1 as of September 2026 by second-hand quotation, not read from AWS; sentences of median length, one a "
        "request,\nbilled by the millisecond; without cold starts and data transfer."
    )
    advice = sizing.recommend(sizes, requests_per_second)
    if advice is None:
        raise OperationError(
            f"{measured.peak_mb:.0f} MB and the margin are more than the largest serverless endpoint has.",
            hint='a smaller model, or "kind": "instances" in the serving block of cdk.json',
        )
    command.say(
        f"\nFor {requests_per_second:g} requests a second, {sizing.BURST:g} times that at worst, each a list of 16 "
        "sentences, in cdk.json:\n\n"
        f'  "serving": {{"memory_mb": {advice.size.memory_mb}, "max_concurrency": {advice.max_concurrency}}}\n'
    )
    if advice.size.vcpu < 1:
        faster = next(size for size in sizes if size.vcpu == 1 and size.fits)
        command.say(
            f"{faster.memory_mb} MB answer {advice.size.mean_seconds / faster.mean_seconds:.1f} times as fast, "
            f"for {faster.million_dollars / advice.size.million_dollars:.1f} times the money."
        )


def unpack(archive: Path, folder: Path) -> Path:
    """Extract a ``model.tar.gz``. Raises OperationError for anything else."""
    try:
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise OperationError(f"{archive} can't be unpacked: {error}", hint="give a model.tar.gz or a folder") from error
    return folder


def fetch_package(deployment: Deployment, folder: Path) -> tuple[Path, str]:
    """Download the released package's artifact, else the newest one's; its folder and its image."""
    arn = deployment.released_package or registry.newest(deployment).arn
    found = deployment.client("sagemaker").describe_model_package(ModelPackageName=arn)
    (container,) = found["InferenceSpecification"]["Containers"]
    bucket, _, key = container["ModelDataUrl"].removeprefix("s3://").partition("/")
    archive = folder / "model.tar.gz"
    deployment.client("s3").download_file(bucket, key, str(archive))
    command.say(f"Model package {arn.rsplit('/', 1)[-1]} of {deployment.env}")
    return unpack(archive, folder / "model"), container["Image"]


def _sentences() -> list[str]:
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["sentence"] for line in lines if line.strip()]


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"'{text}' is not allowed; a number above 0")
    return number


def main() -> int:
    """Measure and recommend."""
    parser = command.parser(__doc__)
    parser.add_argument(
        "--artifact", type=Path, help="folder or model.tar.gz; default: the released model package, else the newest one"
    )
    parser.add_argument(
        "--container",
        choices=sorted(serving_images()),
        help="server to measure; default: the package's own, and slim for --artifact",
    )
    parser.add_argument(
        "--price",
        type=_positive,
        default=sizing.PRICE_PER_GB_SECOND,
        help="US dollars per GB and second. Default: %(default)s (us-east-1)",
    )
    parser.add_argument(
        "--requests-per-second",
        type=_positive,
        default=20,
        help="expected load. Default: %(default)s, the rate limit of dev's API",
    )
    parser.add_argument(
        "--seconds",
        type=_positive,
        default=SECONDS,
        help="how long each kind of request is repeated. Default: %(default)s",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        image = ""
        if options.artifact is None:
            model_dir, image = fetch_package(connect(options.env), Path(scratch))
        elif options.artifact.is_dir():
            model_dir = options.artifact.resolve()
        else:
            model_dir = unpack(options.artifact, Path(scratch))
        container = options.container or ("huggingface" if "/huggingface-" in image else "slim")
        served = serving_images()[container]
        server_command = [str(paths.PYTHON), *served.arguments]
        with ServerProcess(server_command, served.environment, model_dir, _sentences()[0]) as server:
            command.say(
                f"Server of the container {container}, on one core: first answer after "
                f"{server.start_seconds:.2f} s, {server.peak_mb:.0f} MB\n"
            )
            command.say(f"  {'request':32} {'p50 ms':>9} {'p99 ms':>9} {'requests':>9} {'peak MB':>9}")
            measured = measure(server, options.seconds)
    report(measured, price=options.price, requests_per_second=options.requests_per_second)
    return 0


if __name__ == "__main__":
    command.run(main)
