"""Child processes: their output, their end, and that none outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from local.sagemaker.processes.child_process import ISOLATED, ChildProcess, Command, split_lines
from local_project import free_port
from waiting import until

pytestmark = pytest.mark.integration  # real processes

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def children() -> Iterator[list[ChildProcess]]:
    """Children to be ended after the test."""
    started: list[ChildProcess] = []
    yield started
    for child in started:
        child.stop(0)


def run(children: list[ChildProcess], script: str, lines: list[str], **options: object) -> ChildProcess:
    command = Command([sys.executable, "-S", "-u", "-c", script], Path("/"), {"PATH": os.environ["PATH"]})
    child = ChildProcess(command, lines.append, **options)  # type: ignore[arg-type]
    children.append(child)
    return child


def gone(pid: int, seconds: float = 10.0) -> bool:
    """Return whether the process ends (or becomes a zombie) within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if ") Z " in Path(f"/proc/{pid}/stat").read_text():
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def first(lines: list[str]) -> str:
    deadline = time.monotonic() + 10
    while not lines and time.monotonic() < deadline:
        time.sleep(0.01)
    return lines[0]


def test_lines_and_exit_code(children: list[ChildProcess]) -> None:
    """All lines have been delivered when `wait` returns the exit code."""
    lines: list[str] = []
    child = run(children, "import sys; print('a'); print('b', file=sys.stderr); sys.exit(7)", lines)
    assert (child.wait(10), sorted(lines)) == (7, ["a", "b"])


def test_exit_is_announced_once(children: list[ChildProcess]) -> None:
    """`on_exit` is called once, after the last line."""
    lines: list[str] = []
    ended = threading.Event()
    order: list[str] = []

    def note() -> None:
        order.extend([*lines, "exit"])
        ended.set()

    run(children, "print('last')", lines, on_exit=note)
    assert ended.wait(10)
    assert order == ["last", "exit"]


def test_missing_program(children: list[ChildProcess]) -> None:
    """A missing program gives exit code 127 and a line that says so."""
    lines: list[str] = []
    child = ChildProcess(Command(["/no/such/program"], Path("/"), {}), lines.append)
    children.append(child)
    assert child.wait(10) == 127
    assert lines == ["cannot start /no/such/program: No such file or directory"]


def test_stop_asks_first(children: list[ChildProcess]) -> None:
    """`stop` sends SIGTERM first, and a child that ends then keeps its exit code."""
    lines: list[str] = []
    script = (
        "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\nprint('up')\ntime.sleep(60)"
    )
    child = run(children, script, lines)
    first(lines)
    assert child.stop(10) == 5


def test_signals_are_not_ignored_in_the_child(children: list[ChildProcess]) -> None:
    """The command does not inherit the guard's signal handling."""
    lines: list[str] = []
    script = "import signal; print([signal.getsignal(s).name for s in (signal.SIGTERM, signal.SIGHUP)])"
    run(children, script, lines).wait(10)
    assert lines == ["['SIG_DFL', 'SIG_DFL']"]


def test_leftovers_are_killed(children: list[ChildProcess]) -> None:
    """What the command leaves running in its group ends with it."""
    lines: list[str] = []
    script = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid)"
    assert run(children, script, lines).wait(10) == 0
    assert gone(int(lines[0]))


def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    """When the parent is killed with SIGKILL, child and grandchild end, even if they ignore SIGTERM."""
    script = (
        "import os, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(os.getpid(), subprocess.Popen(['sleep', '60']).pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = (
        "import sys, time\nfrom pathlib import Path\n"
        "from local.sagemaker.processes.child_process import ChildProcess, Command\n"
        f"command = [sys.executable, '-S', '-c', {script!r}]\n"
        "environment = {'PATH': '/usr/bin:/bin'}\n"
        "show = lambda line: print(line, flush=True)\n"
        "ChildProcess(Command(command, Path('/'), environment), show)\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert len(pids) == 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert [gone(pid) for pid in pids] == [True, True]


def test_lines_across_chunks() -> None:
    """Lines are put together across reads; the last one needs no line break; Windows breaks count once."""
    assert list(split_lines(iter([b"one\ntw", b"o\r", b"\nthree"]))) == ["one", "two", "three"]


def test_progress_bars_are_thinned_out() -> None:
    """Only the first and the last update of a progress bar remain."""
    updates = [f"{percent}%\r".encode() for percent in range(100)]
    assert list(split_lines(iter([*updates, b"100%\n"]))) == ["0%", "100%"]


def test_bytes_that_are_no_text() -> None:
    """Undecodable output is replaced, not fatal."""
    assert list(split_lines(iter([b"\xff\xfe ok\n"]))) == ["\ufffd\ufffd ok"]


def test_endless_line_is_cut() -> None:
    """Output without line breaks does not pile up in memory."""
    assert len(list(split_lines(iter([b"x" * 20_000, b"x" * 20_000])))) == 2


HALFWAY = """
import sys
from local.sagemaker.processes import isolation

cut_off = isolation.cut_off

def refused_halfway():
    cut_off()
    raise PermissionError("uid_map")

isolation.cut_off = refused_halfway
isolation.main(sys.argv[1:])
"""


def test_a_kernel_that_refuses_halfway_leaves_the_server_where_it_was(children: list[ChildProcess]) -> None:
    """Ubuntu's makes the namespace and denies the rest: the server starts in none, can be reached, and its log says so.

    Where no namespace can be made at all, the same has to hold.
    """
    lines: list[str] = []
    isolated(children, [sys.executable, "-c", HALFWAY], lines)
    assert "The network stays reachable" in lines[0]


@pytest.mark.parametrize("which", ["relay", "server"])
def test_neither_an_isolated_server_nor_its_relay_outlives_the_other(children: list[ChildProcess], which: str) -> None:
    """Killed, either ends the command, so that the endpoint starts again instead of answering nobody."""
    lines: list[str] = []
    child = isolated(children, ISOLATED, lines)
    if any("The network stays reachable" in line for line in lines):
        pytest.skip("this kernel allows no network namespace")
    (relay,) = _children(child._process.pid)
    (server,) = _children(relay)
    assert child.memory_mb() == pytest.approx(_resident_mb(server), rel=0.05)
    os.kill(relay if which == "relay" else server, signal.SIGKILL)
    assert child.wait(10) == 128 + signal.SIGKILL
    assert gone(relay) and gone(server)


def test_an_isolated_server_is_asked_to_end_first(children: list[ChildProcess]) -> None:
    """SIGTERM reaches the server through the relay, and its exit code comes back."""
    lines: list[str] = []
    script = (
        "import http.server, os, signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
        "address = ('127.0.0.1', int(os.environ['SAGEMAKER_BIND_TO_PORT']))\n"
        "http.server.HTTPServer(address, http.server.SimpleHTTPRequestHandler).serve_forever()"
    )
    child = isolated(children, [*ISOLATED, sys.executable, "-c", script], lines, serve=())
    assert child.stop(10) == 5


def isolated(
    children: list[ChildProcess], words: Sequence[str], lines: list[str], serve: Sequence[str] | None = None
) -> ChildProcess:
    """Start a server behind `words`, and return it when it answers."""
    port = free_port()
    default = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    address = {"SAGEMAKER_BIND_TO_HOST": "127.0.0.1", "SAGEMAKER_BIND_TO_PORT": str(port)}
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **address}
    command = Command([*words, *(default if serve is None else serve)], Path(__file__).parent, environment)
    child = ChildProcess(command, lines.append)
    children.append(child)

    def reached() -> bool:
        try:
            return bool(urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).status == 200)
        except OSError:
            return False

    until(reached, 10)
    return child


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024**2
