"""benchmarks/serving.py and its load: what is counted, and what the report says of it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks import serving
from benchmarks.results import TELLING, machine
from benchmarks.serving_report import FIGURES, SLIM_FULL, SLIM_STUDENT, STOCK, draw, report
from operations.errors import OperationError
from operations.sizing.http_load import load

SCRIPT = Path(serving.__file__)


class Handler(BaseHTTPRequestHandler):
    """Answers with the status that the body names."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(body)  # type: ignore[attr-defined]
        self.send_response(int(body))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """A server that remembers the bodies it saw."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.seen = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def test_a_load_sends_no_more_than_asked(server: ThreadingHTTPServer) -> None:
    """Every request is answered and measured once, whatever the number of connections."""
    measured = load(server.server_port, [b"200", b" 200"], connections=4, requests=50, seconds=30)
    assert len(measured.seconds) == len(server.seen) == 50  # type: ignore[attr-defined]
    assert set(server.seen) == {b"200", b" 200"}  # type: ignore[attr-defined]
    assert 0 < measured.milliseconds(0.5) <= measured.milliseconds(0.99)
    assert measured.rate == 50 / measured.elapsed


def test_a_load_ends_in_time(server: ThreadingHTTPServer) -> None:
    """The time limit holds where the number of requests would not be reached."""
    assert load(server.server_port, [b"200"], connections=1, requests=10**9, seconds=0.1).elapsed < 10


def test_another_status_is_no_success(server: ThreadingHTTPServer) -> None:
    """A server that fails fast must not look fast."""
    with pytest.raises(OperationError, match="503"):
        load(server.server_port, [b"503"], connections=1, requests=5, seconds=5)


@pytest.fixture
def result() -> Callable[..., dict]:
    """A result in which slim takes `share` of what the stock stack takes."""

    def make(share: float) -> dict:
        stock = dict.fromkeys(FIGURES, 100.0)
        slim = {key: 100 / share if key.startswith("rate") else 100 * share for key in stock}
        return {
            "date": "2026-01-02T03:04:05+00:00",
            "machine": {"cpu": "a cpu", "flags": ["avx2"], "system": "Linux x86_64"},
            "versions": {"python": "3.11.1"},
            "settings": {"rows": 10, "requests": 10, "seconds": 1, "rounds": 2, "load_own_p50_ms": 0.05},
            "figures": {STOCK: stock, SLIM_FULL: slim},
        }

    return make


def test_the_report_says_which_goals_were_held(result: Callable[..., dict]) -> None:
    """A tenth holds the goal of an eighth and misses that of a thirtieth; a column that was not run has no goals."""
    text = report(result(0.1))
    assert "| memory (PSS), MB, slim | ≤ 1/8 | 1/10.0 | held |" in text
    assert "| first answer after start, s, slim | ≤ 1/30 | 1/10.0 | **missed** |" in text
    assert "| requests/s at concurrency 16, slim | ≥ 6.5× | 10.0× | held |" in text
    assert SLIM_STUDENT not in text


def test_the_chart_is_drawn(result: Callable[..., dict], tmp_path: Path) -> None:
    """An SVG file with the figures' names."""
    draw(result(0.1), tmp_path / "chart.svg")
    assert (tmp_path / "chart.svg").read_text().lstrip().startswith("<?xml")


@pytest.mark.parametrize("wrong", [["--artifact=/nowhere", "--test=/nowhere"], ["--help"]])
def test_the_command_line_explains_itself(wrong: list[str]) -> None:
    """A folder that is no artifact is refused before anything is installed; --help needs nothing."""
    done = subprocess.run([sys.executable, str(SCRIPT), *wrong], capture_output=True, text=True)
    assert done.returncode == (0 if wrong == ["--help"] else 2)
    assert "--artifact" in done.stdout or "is no artifact of this project" in done.stderr


def test_the_better_round_counts(result: Callable[..., dict]) -> None:
    """The shorter time and the higher rate."""
    slow, fast = (result(share)["figures"][SLIM_FULL] for share in (0.2, 0.1))
    assert serving.best(slow, fast) == serving.best(fast, slow) == fast


def test_the_machine_is_described_without_its_name() -> None:
    """Processor, cores, the flags that matter, and the system."""
    found = machine()
    assert set(found) == {"cpu", "cores", "flags", "system"} and found["cores"] == os.cpu_count()
    assert set(found["flags"]) <= set(TELLING)
