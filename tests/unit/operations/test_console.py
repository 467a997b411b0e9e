"""What a person sees: within 80 columns, in colour on a terminal alone, and never nothing for long."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from operations import checks, console
from operations.__main__ import main
from operations.aws.registry import Package
from operations.aws.training import TrainingLog
from operations.command_line import VERBS
from operations.console import Answer, Waiting, broken, note, say
from operations.errors import OperationError
from operations.local_cloud import cdk
from operations.verbs.deployment import logs
from operations.verbs.machine import local_cloud
from operations.verbs.model import predict as predict_verb
from operations.verbs.model import releases
from stubbed_deployment import CREDENTIALS, StubbedDeployment
from waiting import until

ESCAPE = re.compile(r"\x1b\[[0-9;]*[mK]")


class Terminal(io.StringIO):
    """A terminal, as far as a stream tells."""

    def isatty(self) -> bool:
        return True


OnTerminal = Callable[[], Terminal]


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[OnTerminal]:
    """Standard output and error are one terminal of 80 columns with colours."""
    for name, value in {"COLUMNS": "80", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as ended:

        def begin() -> Terminal:  # in the test itself: pytest sets the streams after its fixtures
            made = Terminal()
            ended.enter_context(redirect_stdout(made))
            ended.enter_context(redirect_stderr(made))
            return made

        yield begin


def package(version: int, approval: str, **metadata: str) -> Package:
    """A model package with figures of the usual length."""
    known = {"accuracy": "0.8682", "accuracy_low": "0.8461", "accuracy_high": "0.8879", "verdict": "refused"}
    known |= {"f1": "0.903", "f1_low": "0.885", "f1_high": "0.919", "difference": "0.012", "compared_with": "2"}
    known |= {"released_at": "2026-11-27T10:00:00", **metadata}
    return Package(f"arn/{version}", version, approval, datetime(2026, 11, 27, tzinfo=UTC), "good", known)


CHECKS = [
    checks.Check("credentials", checks.OK, "account 123456789012, region us-east-1"),
    checks.Check("reserved concurrency", checks.FAILED, f"{'many words ' * 12}of 10 executions", "ask for more " * 9),
    checks.Check("e-mail", checks.NOTE, "nobody is told of alarms", "-c notifications.email=somebody@example.com"),
]
FAILED_RUN = "The training workflow ended FAILED: DataRefused: " + "row 3 has no label; " * 9
USUAL = {
    "releases": lambda: say(releases.table([package(1, "Approved"), package(22, "PendingManualApproval")], "arn/1")),
    "verify": lambda: checks.table(CHECKS).show(as_json=False),
    "train": lambda: say(f"  state Train\n  data from {'a place ' * 20}\n    {'metric=0.123 ' * 12}"),
    "an error": lambda: say(f"\nError: {FAILED_RUN}\nNext step: {'fix what it names ' * 6}", error=True),
}


@pytest.mark.parametrize("verb", VERBS)
def test_help_fits_80_columns(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Usage, description, options and exit codes."""
    with pytest.raises(SystemExit):
        main([verb, "--help"])
    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("output", USUAL)
def test_usual_output_fits_80_columns(output: str, on_terminal: OnTerminal) -> None:
    """Every line of it, or it is one word, such as an address, which has to stay whole."""
    terminal = on_terminal()
    USUAL[output]()
    lines = ESCAPE.sub("", terminal.getvalue()).splitlines()
    assert len(lines) > 2
    assert [line for line in lines if len(line) > 80 and len(line.split()) > 2] == []
    assert output != "releases" or {"(.846-.888)", "(.885-.919)", "+0.012", "2026-11-27"} <= set(
        " ".join(lines).split()
    )


def test_a_pipe_gets_whole_lines_without_colours(capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each fact, for grep and for scripts."""
    for show in USUAL.values():
        show()
    printed = capsys.readouterr()
    assert "\x1b" not in printed.out + printed.err
    assert f"Error: {FAILED_RUN}\n" in printed.err
    assert f"reserved concurrency   {CHECKS[1].found}\n" in printed.out
    row = next(line for line in printed.out.splitlines() if line.startswith("*"))
    assert row.endswith("0.868 (.846-.888)  0.903 (.885-.919)  +0.012 v2  2026-11-27 00:00  2026-11-27 10:00")


def test_colours_are_for_terminals_that_want_them(on_terminal: OnTerminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure is red on a terminal, without colour with NO_COLOR or on a dumb one."""
    terminal = on_terminal()
    say("FAILED  health")
    assert "\x1b[1;31mFAILED\x1b[0m" in terminal.getvalue()
    for name, value in {"NO_COLOR": "1", "TERM": "dumb"}.items():
        terminal.truncate(0)
        monkeypatch.setenv(name, value)
        say("FAILED  health")
        assert not re.search(r"\x1b\[[0-9;]*3[0-9]", terminal.getvalue())


def test_a_line_is_broken_between_words_below_its_column() -> None:
    """What is copied stays whole: a long word is not broken."""
    assert broken("ok    health is one two three", 20) == "ok    health is one\n      two three"
    assert broken("  see https://a.example/" + "b" * 30, 20) == "  see\n  https://a.example/" + "b" * 30
    assert broken("name  https://a.example/" + "b" * 30, 20) == "name  https://a.example/" + "b" * 30
    assert broken("short", 20) == "short"


def test_lines_for_copying_stay_whole(on_terminal: OnTerminal) -> None:
    """JSON, a curl line, the recipe's fields."""
    terminal = on_terminal()
    say("curl -X POST " + "a word " * 30, whole=True)
    Answer({"text": "a word " * 30}).show(as_json=True)
    assert len(terminal.getvalue().splitlines()) == 4


def test_a_terminal_shows_what_is_waited_for_in_place(on_terminal: OnTerminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """After two quiet seconds the last line or note, cut to the width; the next line takes it away."""
    terminal = on_terminal()
    monkeypatch.setattr(console, "QUIET_SECONDS", 0.1)
    with Waiting("releases"):
        say("  state Train")
        until(lambda: "s: state Train\x1b[K" in terminal.getvalue())
        note("row " * 40)
        until(lambda: "s: row row" in terminal.getvalue())
        assert terminal.getvalue().count("\n") == 1
        say("done")
    last = re.split(r"\r|\n", terminal.getvalue())
    assert max(len(ESCAPE.sub("", line)) for line in last) <= 80
    assert "\r\x1b[Kdone\n" in terminal.getvalue()


def test_without_a_terminal_a_line_comes_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, whole lines; nothing while a person is asked."""
    monkeypatch.setattr(console, "LOG_SECONDS", 0.1)
    printed: list[str] = []
    with Waiting("status"):
        until(lambda: printed.append(capsys.readouterr().err) or printed[-1])
        note("")
        time.sleep(0.6)  # one look may have begun before
        capsys.readouterr()
        time.sleep(0.6)
    assert re.fullmatch(r"(  … \d+ s: status\n)+", printed[-1]) and capsys.readouterr() == ("", "")


def test_a_jobs_progress_stands_in_place(on_terminal: OnTerminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its control characters are shown, not obeyed; it is cut to the terminal's width."""
    terminal = on_terminal()
    aws = StubbedDeployment("dev", boto3.Session(**CREDENTIALS), None)
    message = "epoch=1 step=2 \x1b[2J" + "loss=0.1 " * 20
    line = {"eventId": "1", "timestamp": 1, "logStreamName": "job/algo-1", "message": message}
    aws.answer("logs", "filter_log_events", {"events": [line]})
    monkeypatch.setattr(console, "QUIET_SECONDS", 0.1)
    with Waiting("train"):
        TrainingLog(aws, "job").show_new()
        until(lambda: "epoch=1" in terminal.getvalue())
    shown = [ESCAPE.sub("", line) for line in terminal.getvalue().split("\r") if "epoch=1" in line]
    assert re.match(r"  … \d+ s: epoch=1 step=2 \\x1b\[2Jloss=0\.1 ", shown[0])
    assert max(map(len, shown)) < 80 and "\n" not in terminal.getvalue()


def test_a_reader_that_has_enough_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`make logs | head` ends without a stack trace."""

    def closed(_: Any) -> Answer:
        raise BrokenPipeError

    monkeypatch.setattr(predict_verb, "predict", closed)
    monkeypatch.setattr("operations.__main__.os.dup2", lambda *_: None)
    closed.__doc__ = "For example."
    assert main(["predict", "text"]) == 0
    assert not capfd.readouterr().err


LOG_LINE = """{"id": "3", "type": "TaskFailed", "details": {"name": "Ingest", "error": "Refused", "cause": "no label"},
"execution_arn": "arn:aws:states:us-east-1:000000000000:execution:training:run-7"}"""


def test_logs_show_every_workflow_and_its_failures() -> None:
    """Training, release and bulk scoring: the failed runs with their reasons, and Step Functions' own log groups."""
    aws = StubbedDeployment("dev", boto3.Session(**CREDENTIALS), None)
    arn, now = "arn:aws:states:us-east-1:000000000000", datetime.now(tz=UTC)
    outputs = {"StateMachineArn": "training", "ReleaseStateMachineArn": "release", "BulkStateMachineArn": "bulk"}
    aws.__dict__["outputs"] = {output: f"{arn}:stateMachine:{name}" for output, name in outputs.items()}
    for output, name in outputs.items():
        run = {"executionArn": f"{arn}:execution:{name}:1", "stateMachineArn": aws.output(output), "name": f"{name}-1"}
        told = {**run, "status": "FAILED", "startDate": now}
        aws.answer("stepfunctions", "list_executions", {"executions": [told]})
        aws.answer("stepfunctions", "describe_execution", {**told, "error": "Refused", "cause": "Refused: no label"})
    aws.answer("sagemaker", "list_training_jobs", {"TrainingJobSummaries": []})
    assert logs._failures(aws) == [
        "training workflow training-1: Refused: no label",
        "release workflow release-1: Refused: no label",
        "bulk scoring workflow bulk-1: Refused: no label",
    ]
    assert "/aws/vendedlogs/states/text-classifier-dev-bulk".startswith(logs.PREFIXES)
    assert logs._state(LOG_LINE) == "run-7 TaskFailed Ingest Refused no label"
    assert logs._state("no JSON") == "no JSON" and logs._state("[]") == "[]"


def test_logs_of_nothing_say_where_to_deploy() -> None:
    """An environment without any stack has neither runs nor logs."""
    aws = StubbedDeployment("dev", boto3.Session(**CREDENTIALS), None)
    aws.__dict__["outputs"] = {}
    with pytest.raises(OperationError, match="is not deployed"):
        logs._failures(aws)


def test_what_cdk_said_is_printed_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error holds what was not shown before; where all was, it holds nothing of it."""
    program = tmp_path / "cdk"
    program.write_text("#!/bin/sh\necho secret reason; echo 'stack ❌ failed: CREATE_FAILED'; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr("operations.paths.CDK", program)
    monkeypatch.setattr("operations.paths.HOME", tmp_path)
    told: list[str] = []
    shown: list[tuple[Callable[[str], object], str]] = [
        (local_cloud._milestone, "`cdk deploy` failed:\nsecret reason"),
        (told.append, "`cdk deploy` failed"),
    ]
    for show, message in shown:
        with pytest.raises(OperationError) as caught:
            cdk.run(["deploy"], output=None, show=show)
        assert caught.value.message == message
    assert told == ["secret reason", "stack ❌ failed: CREATE_FAILED"]
