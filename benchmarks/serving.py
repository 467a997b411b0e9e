"""Our serving against the stock stack over HTTP: one run, one core for the server, the same sentences.

    python benchmarks/serving.py --artifact DIR --test test.json [--student DIR]

Installs the stock stack (multi-model-server, Hugging Face toolkit, torch) into .local/ the first time. Servers are
started one after the other on one core; the load runs on another. With --keep the result goes to docs/benchmarks/.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
import requests

ROOT = Path(__file__).resolve().parent.parent
# Python puts a script's own folder first on the path; there, `serving` would be this file.
sys.path[0:1] = [str(ROOT), str(ROOT / "training_job")]

from benchmarks.results import RESULTS, dated, keep, read_rows, say  # noqa: E402
from benchmarks.serving_report import (  # noqa: E402
    CONCURRENCY,
    FIGURES,
    HOOKS,
    LIST_ITEMS,
    SLIM_FULL,
    SLIM_STUDENT,
    STOCK,
    draw,
    report,
)
from benchmarks.stock.environment import StackMissingError, StockStack, complete  # noqa: E402
from benchmarks.stock.server import StockServer  # noqa: E402
from classifier.artifact.package import copy_serving_code  # noqa: E402
from classifier.artifact.vendoring import vendor  # noqa: E402
from classifier.errors import VendoringError  # noqa: E402
from local.sagemaker.processes import ports  # noqa: E402
from operations.errors import OperationError  # noqa: E402
from operations.local_cloud.images import serving_images  # noqa: E402
from operations.sizing import http_load  # noqa: E402
from operations.sizing.server import ImageServer, Server, keep_to  # noqa: E402

load = partial(http_load.load, sleepless=True)
SLIM = ROOT / "build" / "slim"
IDLE_SECONDS, IDLE_PERCENT = 30.0, 5.0


@dataclass(frozen=True)
class Contestant:
    """A way to serve. `start` returns a context that ends it; `installed`: folders that it needs on disk."""

    name: str
    start: Callable[[], Server]
    artifact: Path
    installed: tuple[Path, ...]


def main() -> int:
    """Measure, print, draw and keep; 0, or 1 with the reason, or 130 after Ctrl-C."""
    arguments = _arguments()
    # As on Ctrl-C: end the servers and remove the scratch folders.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        result = run(arguments)
    except (StackMissingError, VendoringError, OperationError, OSError) as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    text = report(result)
    print(text)
    if arguments.keep:
        kept = keep(RESULTS, "serving", result, text, draw).relative_to(ROOT)
        print(f"kept: {kept}.json, .md, .svg", file=sys.stderr)
    return 0


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure all contestants, one after the other."""
    rows = read_rows(arguments.test)[: arguments.rows]
    say(f"{len(rows)} sentences; the load's own core is {arguments.load_core}, the servers' {arguments.server_core}")
    os.sched_setaffinity(0, {arguments.load_core})
    stack = complete(say)
    floor = own_round_trip(arguments.server_core)
    with tempfile.TemporaryDirectory() as scratch:
        figures: dict[str, dict[str, float]] = {}
        ways = list(contestants(arguments, stack, Path(scratch)))
        for number in range(arguments.rounds):
            for way in ways:
                say(f"round {number + 1} of {arguments.rounds}: {way.name} ...")
                measured = measure(way, rows, arguments)
                figures[way.name] = best(figures.get(way.name, measured), measured)
                say("  " + ", ".join(f"{FIGURES[key]} {value:.4g}" for key, value in measured.items()))
    settings = {name: getattr(arguments, name) for name in ("requests", "seconds", "rounds")}
    settings = {"rows": len(rows), **settings, "load_own_p50_ms": round(floor, 3)}
    return {**dated(versions(stack), settings), "figures": figures}


def contestants(arguments: argparse.Namespace, stack: StockStack, scratch: Path) -> Iterator[Contestant]:
    """Yield every way to serve, the stock stack first: the others are compared with it."""
    core = arguments.server_core
    stock_model = scratch / "stock"
    # Without code/ the toolkit makes a pipeline of it, as it does with any Hugging Face model.
    shutil.copytree(arguments.artifact, stock_model, ignore=shutil.ignore_patterns("code", "onnx"))
    environ = {"HF_TASK": "text-classification", "OMP_NUM_THREADS": "1"}

    def stock(artifact: Path) -> StockServer:
        return StockServer(stack, artifact, ports.claim(), environ=environ, core=core)

    installed = stack.python.parent.parent
    yield Contestant(STOCK, partial(stock, stock_model), stock_model, (installed,))
    hooked = scratch / "hooked"
    shutil.copytree(arguments.artifact, hooked, ignore=shutil.ignore_patterns("code"))
    copy_serving_code(hooked)
    tag = "cp{}{}".format(*sys.version_info[:2])
    say(f"vendoring onnxruntime {vendor(hooked / 'code', python=tag)} for the stack's Python here ({tag})")
    yield Contestant(HOOKS, partial(stock, hooked), hooked, (installed, hooked / "code"))
    models = [(SLIM_FULL, arguments.artifact)] + ([(SLIM_STUDENT, arguments.student)] if arguments.student else [])
    for name, artifact in models:
        yield Contestant(name, partial(ImageServer, serving_images()["slim"], artifact, core=core), artifact, (SLIM,))


def measure(contestant: Contestant, rows: list[dict[str, Any]], arguments: argparse.Namespace) -> dict[str, float]:
    """Measure every figure of one contestant."""
    bodies = [_body(row["sentence"]) for row in rows]
    figures: dict[str, float] = {}
    limits: dict[str, Any] = {"requests": arguments.requests, "seconds": arguments.seconds}
    with contestant.start() as server:  # reads its files into memory first: disks differ more than servers
        server.await_answer(rows[0]["sentence"])
    wait_until_idle(arguments.server_core)
    with contestant.start() as server:
        port = server.port
        figures["first_answer_s"] = server.await_answer(rows[0]["sentence"])
        figures["accuracy"] = accuracy(port, rows)
        load(port, bodies, connections=1, requests=200, seconds=arguments.seconds)
        for number in CONCURRENCY:
            measured = load(port, bodies, connections=number, **limits)
            figures[f"rate_{number}"] = measured.rate
            if number == 1:
                figures["p50_ms"], figures["p99_ms"] = measured.milliseconds(0.5), measured.milliseconds(0.99)
            if number == 16:
                figures["p99_16_ms"] = measured.milliseconds(0.99)
        groups = [rows[start : start + LIST_ITEMS] for start in range(0, len(rows) - LIST_ITEMS + 1, LIST_ITEMS)]
        limits["requests"] //= LIST_ITEMS
        lists = [_body([row["sentence"] for row in group]) for group in groups]
        figures["list_ms"] = load(port, lists, connections=1, **limits).milliseconds(0.5)
        figures["memory_mb"] = proportional_set_size(server.process.pid) / 1e6
    figures["artifact_mb"] = size(contestant.artifact, without="code") / 1e6
    figures["installed_mb"] = sum(map(size, contestant.installed)) / 1e6
    return {key: figures[key] for key in FIGURES}


def wait_until_idle(core: int) -> None:
    """Wait until a core had nothing to do for half a second, 30 s at most: a server that ends gives memory back."""
    deadline = time.monotonic() + IDLE_SECONDS
    while psutil.cpu_percent(interval=0.5, percpu=True)[core] > IDLE_PERCENT and time.monotonic() < deadline:
        pass


def best(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    """Return the better of two rounds for each figure: other work on the machine only ever makes a figure worse."""
    return {key: (max if key.startswith("rate") else min)(one[key], other[key]) for key in FIGURES}


def _body(inputs: str | list[str]) -> bytes:
    return json.dumps({"inputs": inputs}).encode()


def _ask(port: int, body: bytes) -> Any:
    head = {"Content-Type": "application/json"}
    answer = requests.post(f"http://127.0.0.1:{port}/invocations", body, headers=head, timeout=60)
    answer.raise_for_status()
    return answer.json()


def accuracy(port: int, rows: list[dict[str, Any]]) -> float:
    """Return the share of the rows (score from 1: helpful) that are answered rightly, one request a row."""
    right = 0
    for row in rows:
        document = _ask(port, _body(row["sentence"]))
        first = document["predictions"][0] if isinstance(document, dict) else document[0]
        right += (first["label"] == "helpful") == (float(row["helpful"]) >= 1)
    return right / len(rows)


def proportional_set_size(group: int) -> int:
    """Return the bytes of memory of a process group, shared pages counted once.

    By group, because the stock stack's Java is no child of what was started: what had started it is gone.
    """
    total = 0
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getpgid(process.pid) == group:
                total += process.memory_full_info().pss
    return total


def size(folder: Path, without: str = "") -> int:
    """Return the bytes of the files below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files if path.relative_to(folder).parts[0] != without)


ANSWERS_AT_ONCE = r"""
import socket
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    connection, _ = listener.accept()
    while connection.recv(65_536):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
"""


def own_round_trip(server_core: int) -> float:
    """Measure the load's own round trip, its median in ms, with a server on its core that answers at once."""
    command = [sys.executable, "-I", "-S", "-c", ANSWERS_AT_ONCE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        keep_to(server_core, process.pid)
        assert process.stdout is not None
        port = int(process.stdout.readline())
        return load(port, [b"{}"], connections=1, requests=2000, seconds=5).milliseconds(0.5)


def versions(stack: StockStack) -> dict[str, str]:
    """Return the versions on both sides."""
    names = ("multi-model-server", "sagemaker-huggingface-inference-toolkit", "transformers", "torch")
    code = f"import importlib.metadata as m; print(*(m.version(n) for n in {names!r}))"
    theirs = subprocess.check_output([stack.python, "-c", code], text=True).split()
    java = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr.split('"')[1]
    ours = {name: metadata.version(name) for name in ("onnxruntime", "tokenizers")}
    return {**dict(zip(names, theirs, strict=True)), "java": java, **ours}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifact", type=Path, required=True, help="folder of the unpacked model.tar.gz")
    parser.add_argument("--student", type=Path, help="folder of the student's, for a further column")
    parser.add_argument("--test", type=Path, required=True, help="JSON Lines with sentence and helpful (the score)")
    parser.add_argument("--rows", type=int, default=1000, help="sentences taken from it (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=2000, help="most requests of a load (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=15, help="longest a load lasts (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="of all servers, the best counts (default: %(default)s)")
    parser.add_argument("--server-core", type=int, default=0, help="core of the servers (default: %(default)s)")
    parser.add_argument("--load-core", type=int, default=1, help="core of the load (default: %(default)s)")
    parser.add_argument("--keep", action="store_true", help="write the dated result below docs/benchmarks/")
    arguments = parser.parse_args()
    for folder in filter(None, (arguments.artifact, arguments.student)):
        if not (folder / "onnx" / "model_int8.onnx").is_file():
            parser.error(f"{folder} is no artifact of this project: it has no onnx/model_int8.onnx")
    if not arguments.test.is_file():
        parser.error(f"there is no file {arguments.test}")
    if not SLIM.is_dir():
        parser.error("build/slim is missing: run make setup, which assembles it")
    if not {arguments.server_core, arguments.load_core} <= os.sched_getaffinity(0):
        parser.error("two cores are needed: --server-core and --load-core name them")
    if not 1 <= arguments.rounds <= 10:
        parser.error("--rounds is 1 to 10")
    if arguments.rows < LIST_ITEMS or arguments.requests < LIST_ITEMS or not 1 <= arguments.seconds <= 300:
        parser.error(f"--rows and --requests are at least {LIST_ITEMS}, --seconds 1 to 300")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
