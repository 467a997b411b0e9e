"""Our serving against the stock stack over HTTP: one run, one core for the server, the same sentences.

    python benchmarks/serving.py --artifact DIR --test test.json [--student DIR]

Installs the stock stack (multi-model-server, Hugging Face toolkit, torch) into .local/ the first time. Servers are
started one after the other on one core; the load runs on another. With --keep the result goes to docs/benchmarks/.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
# A script's own folder comes first on the path; there, `serving` would be this file.
sys.path[0:1] = [str(ROOT), str(ROOT / "training_job")]

from benchmarks.kept import RESULTS, keep  # noqa: E402
from benchmarks.load import LoadError, load  # noqa: E402
from benchmarks.machine import machine  # noqa: E402
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
from benchmarks.stock.environment import StackMissing, StockStack, complete  # noqa: E402
from benchmarks.stock.server import StockServer  # noqa: E402
from classifier.artifact.package import copy_serving_code  # noqa: E402
from classifier.artifact.vendoring import vendor  # noqa: E402
from classifier.errors import VendoringError  # noqa: E402
from local.sagemaker.processes import ports  # noqa: E402
from operations.serving_images import serving_images  # noqa: E402

SLIM = ROOT / "build" / "slim"
START_SECONDS = 180.0
IDLE_SECONDS, IDLE_PERCENT = 30.0, 5.0


@dataclass(frozen=True)
class Contestant:
    """A way to serve.

    Attributes:
        name: of the column.
        start: a context manager that starts it on a port and gives the process whose tree it is.
        artifact: the unpacked artifact.
        installed: folders that it needs on disk.
    """

    name: str
    start: Callable[[int], Any]
    artifact: Path
    installed: tuple[Path, ...]


def main() -> int:
    """Measure, print, draw and keep; 0, or 1 with the reason, or 130 after Ctrl-C."""
    arguments = _arguments()
    # As Ctrl-C does: servers and scratch folders are gone when this process is.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        result = run(arguments)
    except (StackMissing, VendoringError, LoadError, OSError) as error:
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
    """All contestants, one after the other."""
    rows = [json.loads(line) for line in arguments.test.read_text(encoding="utf-8").splitlines() if line.strip()]
    rows = rows[: arguments.rows]
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
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(stack),
        "settings": {
            "rows": len(rows),
            "requests": arguments.requests,
            "seconds": arguments.seconds,
            "rounds": arguments.rounds,
            "load_own_p50_ms": round(floor, 3),
        },
        "figures": figures,
    }


def contestants(arguments: argparse.Namespace, stack: StockStack, scratch: Path) -> Iterator[Contestant]:
    """The stock stack first: the others are compared with it."""
    prefix = ("taskset", "-c", str(arguments.server_core))
    stock_model = scratch / "stock"
    # Without code/ the toolkit makes a pipeline of it, as it does with any Hugging Face model.
    shutil.copytree(arguments.artifact, stock_model, ignore=shutil.ignore_patterns("code", "onnx"))
    environ = {"HF_TASK": "text-classification", "OMP_NUM_THREADS": "1"}

    def stock(artifact: Path, **further: str) -> Callable[[int], Any]:
        return lambda port: StockServer(stack, artifact, port, environ={**environ, **further}, prefix=prefix)

    installed = stack.python.parent.parent
    yield Contestant(STOCK, stock(stock_model), stock_model, (installed,))
    hooked = scratch / "hooked"
    shutil.copytree(arguments.artifact, hooked, ignore=shutil.ignore_patterns("code"))
    copy_serving_code(hooked)
    tag = "cp{}{}".format(*sys.version_info[:2])
    say(f"vendoring onnxruntime {vendor(hooked / 'code', python=tag)} for the stack's Python here ({tag})")
    yield Contestant(HOOKS, stock(hooked), hooked, (installed, hooked / "code"))
    models = [(SLIM_FULL, arguments.artifact)] + ([(SLIM_STUDENT, arguments.student)] if arguments.student else [])
    for name, artifact in models:
        yield Contestant(name, partial(slim_server, artifact, prefix), artifact, (SLIM,))


@contextmanager
def slim_server(artifact: Path, prefix: tuple[str, ...], port: int) -> Iterator[Any]:
    """The slim container's server, started from the same tree as in the image."""
    image = serving_images()["slim"]
    environ = {
        "PATH": os.environ["PATH"],
        "SM_MODEL_DIR": str(artifact),
        "SAGEMAKER_BIND_TO_HOST": "127.0.0.1",
        "SAGEMAKER_BIND_TO_PORT": str(port),
        **image.environment,
    }
    command = [*prefix, sys.executable, *image.arguments]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            yield _Running(process)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@dataclass(frozen=True)
class _Running:
    process: subprocess.Popen[bytes]


def measure(contestant: Contestant, rows: list[dict[str, Any]], arguments: argparse.Namespace) -> dict[str, float]:
    """Every figure of one contestant."""
    bodies = [json.dumps({"inputs": row["sentence"]}).encode() for row in rows]
    port = ports.claim()
    figures: dict[str, float] = {}
    limits: dict[str, Any] = {"requests": arguments.requests, "seconds": arguments.seconds}
    with contestant.start(port) as server:  # so that its files are in memory: disks differ more than servers
        _first_answer(port, bodies[0], server.process)
    wait_until_idle(arguments.server_core)
    port = ports.claim()
    started = time.monotonic()
    with contestant.start(port) as server:
        figures["first_answer_s"] = _first_answer(port, bodies[0], server.process) - started
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
        lists = [json.dumps({"inputs": [row["sentence"] for row in group]}).encode() for group in groups]
        limits["requests"] //= LIST_ITEMS
        measured = load(port, lists, connections=1, **limits)
        figures["list_ms"] = measured.milliseconds(0.5)
        figures["memory_mb"] = proportional_set_size(server.process.pid) / 1e6
    figures["artifact_mb"] = size(contestant.artifact, without="code") / 1e6
    figures["installed_mb"] = sum(map(size, contestant.installed)) / 1e6
    return {key: figures[key] for key in FIGURES}


def wait_until_idle(core: int) -> None:
    """Until a core had nothing to do for half a second, 30 s at most: a server that ends gives memory back."""
    deadline = time.monotonic() + IDLE_SECONDS
    while psutil.cpu_percent(interval=0.5, percpu=True)[core] > IDLE_PERCENT and time.monotonic() < deadline:
        pass


def best(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    """Figure by figure the better of two rounds: what else the machine does makes every figure worse, never better."""
    return {key: (max if key.startswith("rate") else min)(one[key], other[key]) for key in FIGURES}


def _first_answer(port: int, body: bytes, process: subprocess.Popen[bytes]) -> float:
    """The moment (monotonic, s) of the first 200 of /invocations."""
    deadline = time.monotonic() + START_SECONDS
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"})
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LoadError(f"the server ended with {process.returncode} before it answered")
        try:
            with urllib.request.urlopen(request, timeout=60):
                return time.monotonic()
        except (OSError, urllib.error.HTTPError):
            time.sleep(0.001)
    raise LoadError(f"no first answer within {START_SECONDS:.0f} s")


def accuracy(port: int, rows: list[dict[str, Any]]) -> float:
    """Share of the rows (score from 1: helpful) that are answered rightly, one request a row."""
    right = 0
    for row in rows:
        body = json.dumps({"inputs": row["sentence"]}).encode()
        url = f"http://127.0.0.1:{port}/invocations"
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            document = json.loads(answer.read())
        first = document["predictions"][0] if isinstance(document, dict) else document[0]
        right += (first["label"] == "helpful") == (float(row["helpful"]) >= 1)
    return right / len(rows)


def proportional_set_size(group: int) -> int:
    """Bytes of memory of a process group, shared pages counted once.

    By group, because the stock stack's Java is no child of what was started: what had started it is gone.
    """
    total = 0
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getpgid(process.pid) == group:
                total += process.memory_full_info().pss
    return total


def size(folder: Path, without: str = "") -> int:
    """Bytes of the files below a folder."""
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
    """The median of the load's own round trip in milliseconds, with a server on its core that answers at once."""
    command = ["taskset", "-c", str(server_core), sys.executable, "-I", "-S", "-c", ANSWERS_AT_ONCE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        return load(port, [b"{}"], connections=1, requests=2000, seconds=5).milliseconds(0.5)


def versions(stack: StockStack) -> dict[str, str]:
    """Versions on both sides."""
    names = ("multi-model-server", "sagemaker-huggingface-inference-toolkit", "transformers", "torch")
    code = f"import importlib.metadata as m; print(*(m.version(n) for n in {names!r}))"
    theirs = subprocess.check_output([stack.python, "-c", code], text=True).split()
    java = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr.split('"')[1]
    ours = {name: metadata.version(name) for name in ("onnxruntime", "tokenizers")}
    return {"python": platform.python_version(), **dict(zip(names, theirs, strict=True)), "java": java, **ours}


def say(text: str) -> None:
    """Progress, on standard error."""
    print(f"[serving] {text}", file=sys.stderr, flush=True)


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
    if shutil.which("taskset") is None or not {arguments.server_core, arguments.load_core} <= os.sched_getaffinity(0):
        parser.error("two cores and taskset (package util-linux) are needed: --server-core and --load-core name them")
    if not 1 <= arguments.rounds <= 10:
        parser.error("--rounds is 1 to 10")
    if arguments.rows < LIST_ITEMS or arguments.requests < LIST_ITEMS or not 1 <= arguments.seconds <= 300:
        parser.error(f"--rows and --requests are at least {LIST_ITEMS}, --seconds 1 to 300")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
