"""The command `python -m ingest`."""

from __future__ import annotations

import io
import json

import pytest

from ingest.__main__ import ProgressLine, main
from ingest.collect import Progress


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_help_names_every_option(capsys):
    """--help ends with status 0 and lists the options."""
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert all(option in shown for option in ("--source", "--destination", "--files", "--fallback", "--no-fallback"))


def test_result_is_json(bundled, tmp_path, capsys):
    """The result goes to standard output as JSON, progress to standard error."""
    assert main(["--source", str(bundled), "--destination", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["files"][-1]["name"] == "train.json"
    assert "train.json" in captured.err


def test_fallback_is_announced(closed_url, tmp_path, capsys):
    """Using the bundled set succeeds and says so."""
    arguments = ["--source", closed_url, "--destination", str(tmp_path), "--attempts", "1", "--quiet"]
    assert main(arguments) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["fell_back"] is True
    assert "bundled synthetic data set is used instead" in captured.err


def test_no_fallback_fails(closed_url, tmp_path, capsys):
    """With --no-fallback an unreachable host ends with status 1 and one line."""
    arguments = ["--source", closed_url, "--destination", str(tmp_path), "--attempts", "1", "--no-fallback"]
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_impossible_patience_is_refused(tmp_path, capsys):
    """--attempts 0 ends with status 2 and says what is allowed."""
    with pytest.raises(SystemExit) as caught:
        main(["--destination", str(tmp_path), "--attempts", "0"])
    assert caught.value.code == 2
    assert "attempts is 0; 1 or more is allowed" in capsys.readouterr().err


def test_terminal_line_is_rewritten():
    """In a terminal each step overwrites the line before, and the last one ends it."""
    terminal = Terminal()
    line = ProgressLine(terminal, interval=0)
    line(Progress("train.json", 1_000_000, 2_000_000))
    line(Progress("train.json", 2_000_000, 2_000_000, done=True))
    assert terminal.getvalue() == "\rtrain.json  1.0 of 2.0 MB\rtrain.json  2.0 of 2.0 MB\n"


def test_log_gets_one_line_a_file():
    """Where nobody watches, only finished files are written."""
    log = io.StringIO()
    line = ProgressLine(log)
    line(Progress("train.json", 1_000_000, None))
    line(Progress("train.json", 2_000_000, None, done=True))
    assert log.getvalue() == "train.json  2.0 MB\n"
