"""How many sentences a second one core of the slim server answers in bulk, and whether its memory stays flat.

Starts the server from build/slim with one worker, sends it shuffled repetitions of real sentences as CSV or JSON Lines
bodies, as batch transform does, and checks that each body comes back with one answer a record. Prints one line for each
tenth of the work and an estimate for ten million sentences. "Per core" divides by the processor time that the server
used, so other work on the machine does not count.

    .venv/bin/python benchmarks/bulk.py --model .local/model --sentences 200000
"""

import argparse
import csv
import io
import json
import os
import platform
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import psutil
import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.results import read_rows  # noqa: E402
from operations.errors import OperationError  # noqa: E402
from operations.local_cloud.images import serving_images  # noqa: E402
from operations.sizing.server import ImageServer  # noqa: E402

REAL_DATA = ROOT.parent / "shared" / "data" / "helpful-sentences"
BUNDLED_DATA = ROOT / "training_job" / "data"
TYPES = {"csv": "text/csv", "jsonlines": "application/jsonlines"}
VARIABLES = {"SERVING_WORKERS": "1", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "100"}
TARGET = 10_000_000
TICK = 0.01
"""Seconds; the system counts a process's time in these steps."""


def read_sentences(folder: Path) -> list[str]:
    """Return the sentences of `train.json` and `test.json` in a folder, else those of the bundled data."""
    if not (folder / "train.json").is_file():
        print(f"{folder} has no train.json: using the bundled synthetic sentences, which are shorter than real ones")
        folder = BUNDLED_DATA
    rows = [row for name in ("train.json", "test.json") for row in read_rows(folder / name)]
    sentences = [row["sentence"] for row in rows if row.get("sentence")]
    mean = sum(map(len, sentences)) / len(sentences)
    print(f"data: {len(sentences)} sentences of {folder.name}, {mean:.0f} characters on average")
    return sentences


def bodies(sentences: list[str], *, total: int, records: int, kind: str) -> Iterator[tuple[int, bytes]]:
    """Yield bodies of `records` records each, `total` in all: how many records, and the bytes."""
    shuffled = random.Random(0)
    for start in range(0, total, records):
        chosen = shuffled.choices(sentences, k=min(records, total - start))
        out = io.StringIO(newline="")
        if kind == "csv":
            csv.writer(out).writerows([each] for each in chosen)
        else:
            out.writelines(json.dumps({"inputs": each}) + "\n" for each in chosen)
        yield len(chosen), out.getvalue().encode()


def ask(port: int, records: int, body: bytes, kind: str) -> int:
    """Send one body, check that each record came back with an answer, and return how many there were."""
    url = f"http://127.0.0.1:{port}/invocations"
    response = requests.post(url, body, headers={"Content-Type": TYPES[kind]}, timeout=3_600)
    assert response.status_code == 200, response.text[:500]
    assert response.content.count(b"\n") == records, f"fewer or more answers than the {records} records"
    return records


def measure(process: psutil.Process, port: int, work: Iterator[tuple[int, bytes]], total: int, kind: str) -> None:
    """Send everything, two bodies at a time so that the server never waits for its client, and print the table."""

    def used() -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    def used_since_start() -> float:
        return max(used() - began_used, TICK)

    def megabytes() -> float:
        return float(process.memory_info().rss / 2**20)

    print(f"{'sentences':>10}  {'per s and core':>14}  {'per s':>7}  {'RSS MB':>7}")
    print(f"{0:>10}  {'':>14}  {'':>7}  {megabytes():>7.1f}")
    began, began_used = time.perf_counter(), used()
    done, tenths = 0, 0
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(ask, port, *each, kind) for _, each in zip(range(2), work, strict=False)]
        while waiting:
            done += waiting.pop(0).result()
            if (following := next(work, None)) is not None:
                waiting.append(pool.submit(ask, port, *following, kind))
            if done * 10 // total > tenths:
                tenths = done * 10 // total
                cpu, wall = used_since_start(), time.perf_counter() - began
                print(f"{done:>10}  {done / cpu:>14.0f}  {done / wall:>7.0f}  {megabytes():>7.1f}", flush=True)
    hours = TARGET / (done / used_since_start()) / 3_600
    print(f"estimate for {TARGET:,} sentences: {hours:.1f} core hours")


def main() -> int:
    """Run the measurement; 0 when every record was answered."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    model = ROOT / ".local" / "model"
    parser.add_argument("--model", type=Path, default=model, help="unpacked artifact. Default: %(default)s")
    parser.add_argument("--data", type=Path, default=REAL_DATA, help="folder of train.json. Default: %(default)s")
    parser.add_argument("--sentences", type=int, default=200_000, help="how many to send. Default: %(default)s")
    parser.add_argument("--records", type=int, default=5_000, help="records a body. Default: %(default)s")
    parser.add_argument("--type", choices=TYPES, default="jsonlines", help="format of the bodies. Default: %(default)s")
    options = parser.parse_args()
    libraries = ", ".join(f"{name} {version(name)}" for name in ("onnxruntime", "tokenizers", "httptools"))
    print(f"machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {libraries}")
    work = bodies(read_sentences(options.data), total=options.sentences, records=options.records, kind=options.type)
    try:
        with ImageServer(serving_images()["slim"], options.model, variables=VARIABLES) as server:
            server.await_answer("ready?")
            measure(psutil.Process(server.process.pid), server.port, work, options.sentences, options.type)
    except OperationError as error:
        raise SystemExit(error.message) from error
    return 0


if __name__ == "__main__":
    sys.exit(main())
