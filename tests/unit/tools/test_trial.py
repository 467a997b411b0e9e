"""What a trial notes of a fault: its line of the table, and the proxy that throttles a person's commands."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from history import Answer, History, Stream
from running_server import RunningServer
from trial import BEGIN, END, Fault, ThrottlingServer, Trial, write_table


def breaks(_: Trial) -> None:
    """The lights go out."""


FAULT = Fault(breaks, frozenset({200, 503}), 5, "by itself")


@pytest.mark.parametrize(
    ("answers", "healed", "told"),
    [
        ([Answer(1, 2, 200), Answer(2, 3, 0), Answer(3, 4, 503), Answer(6, 7, 200)], 0.0, ("5.0 s", "3.0 s")),
        ([Answer(1, 2, 200), Answer(2, 3, 0), Answer(3, 4, 503), Answer(6, 7, 200)], 3.5, ("5.0 s", "0.5 s")),
        ([Answer(1, 2, 200), Answer(2, 3, 200)], 0.0, ("1.0 s", "no request failed")),
    ],
)
def test_a_fault_is_one_line_of_the_table(
    answers: list[Answer], healed: float, told: tuple[str, str], tmp_path: Path
) -> None:
    """Statuses, longest gap, and from the end of its cause to the last failure; written between the comments."""
    trial = Trial(SimpleNamespace(), History("1", stream=Stream(answers)), began=1.0, healed=healed)
    row = trial.row(FAULT)
    assert (row[0], row[2:]) == ("The lights go out", (*told, "by itself"))
    assert row[1].startswith("1 × no answer, " if len(answers) > 2 else "2 × 200")
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{BEGIN}\n{END}\n\nafter\n")
    write_table(page, [("The lights go out", "older"), ("Another", "stays")])
    write_table(page, [row])
    lines = page.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")
    assert lines[5:7] == [f"| {' | '.join(row)} |", "| Another | stays |"]


class Echo(BaseHTTPRequestHandler):
    """Answers every request with its path."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(self.path)))
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


def test_every_other_call_is_throttled_and_the_rest_is_passed_on() -> None:
    """The API's own requests are not; CloudFormation's error is XML, the others' JSON."""
    with RunningServer(HTTPServer(("127.0.0.1", 0), Echo)) as cloud, ThrottlingServer(cloud.url) as proxy:
        form = {"content-type": "application/x-www-form-urlencoded"}
        first = requests.post(f"{proxy.url}/", headers=form, timeout=5)
        assert first.status_code == 400 and "<Code>Throttling</Code>" in first.text
        assert requests.post(f"{proxy.url}/passed", timeout=5).text == "/passed"
        assert requests.post(f"{proxy.url}/restapis/x", timeout=5).text == "/restapis/x"
        assert requests.post(f"{proxy.url}/", timeout=5).json()["__type"] == "ThrottlingException"
        assert proxy.refused == 2
