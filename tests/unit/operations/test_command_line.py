"""`python -m operations`: help, exit codes, JSON, what is imported, and what make hands over."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from operations import command_line
from operations.__main__ import main
from operations.command_line import VERBS
from operations.console import Answer, say
from operations.errors import OperationError
from operations.verbs.model import predict as predict_verb
from operations.verbs.model import training

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """None of make's variables reaches these tests, and the scratch folder that the command sets is theirs."""
    monkeypatch.setattr("operations.paths.SCRATCH", tmp_path / "scratch")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for name in ("ENV", "PORT", "TEXT", "INPUT", "ARGS", "PACKAGE", "HYPERPARAMETERS", "APPROVAL", "DATA"):
        monkeypatch.delenv(name, raising=False)


def run(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, with a folder of its own for the local cloud."""
    environment = {**os.environ, "LOCAL_DIR": str(folder), **variables}
    environment.pop("PYTHONPATH", None)
    command = [sys.executable, "-m", "operations", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What it does, an example and the exit codes; a result for scripts wherever there is one."""
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert "For example: make " in " ".join(said.split()) and "130  interrupted" in said
    assert ("--json" in said) == (not VERBS[verb].local)


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    """The whole command needs no module of a verb for it."""
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(f"\n    {verb}" in said for verb in VERBS)


def test_make_has_a_target_for_every_verb() -> None:
    """Each recipe calls the verb of its own name, and hands nothing over to the shell."""
    makefile = (ROOT / "Makefile").read_text()
    for verb in VERBS:
        assert makefile.split(f"\n{verb}: ", 1)[1].splitlines()[1].endswith(f"$(RUN) {verb}")


def test_status_imports_neither_torch_nor_the_sagemaker_sdk() -> None:
    """Only the module of the verb that runs is imported, and heavy libraries only by those that need them."""
    code = "import sys; from operations import command_line as c; c.parse(['status']); print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    imported = set(done.stdout.split())
    assert "operations.verbs.deployment.status" in imported, done.stderr
    assert not imported & {"torch", "sagemaker", "pandas", "sklearn", "operations.verbs.model.training"}


ASKED = {
    "predict": ["a text"],
    "cdk": ["diff"],
    "train": ["--data", "training_job/data"],
    "approve": ["1"],
    "reproduce": ["1"],
    "publish": ["1", "--repo", "owner/name"],
}
"""Verb → the arguments that it needs."""
ALONE = {"up", "deploy", "down", "data", "synth", "config", "cost"}
"""Those that start the local cloud, stop it or need none."""


@pytest.mark.parametrize("words", [[verb, *ASKED.get(verb, [])] for verb in VERBS if verb not in ALONE])
def test_a_local_cloud_that_does_not_run_is_said_within_a_second(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its credentials are still there, and its port refuses: one line, and `make up`."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
    credentials = tmp_path / "credentials.json"
    access = {"endpoint_url": address, "region": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    credentials.write_text(json.dumps(access))
    monkeypatch.setattr("operations.paths.CREDENTIALS", credentials)
    arguments = command_line.parse(words)  # with the imports that the verb needs
    started = time.monotonic()
    with pytest.raises(OperationError) as caught:
        arguments.run(arguments)
    assert time.monotonic() - started < 1
    assert (caught.value.message, caught.value.hint) == ("The local cloud does not run.", "make up")
    assert main(words) == 1
    assert "Next step: make up" in capsys.readouterr().err


def test_with_json_standard_output_holds_the_document_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Progress goes to standard error, a library's too."""

    def answer(_: Any) -> Answer:
        say("asking …")
        print("a library's line")
        return Answer({"label": "hilfreich …"}, "for people", exit_code=1)

    monkeypatch.setattr(predict_verb, "predict", answer)
    answer.__doc__ = "For example."
    assert main(["predict", "text", "--json"]) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"label": "hilfreich …"}
    assert printed.err.splitlines() == ["asking …", "a library's line"]
    assert main(["predict", "text"]) == 1
    assert capsys.readouterr().out.splitlines() == ["asking …", "a library's line", "for people"]


def test_what_an_error_says_does_not_steer_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A job's failure reason or a service's message may hold control characters; its lines stay."""

    def fail(_: Any) -> Answer:
        raise OperationError("The job failed:\n\x1b]0;title\x07", hint="fix it")

    monkeypatch.setattr(predict_verb, "predict", fail)
    fail.__doc__ = "For example."
    assert main(["predict", "text"]) == 1
    assert capsys.readouterr().err == "\nError: The job failed:\n\\x1b]0;title\\x07\nNext step: fix it\n"


def test_a_refused_model_is_an_error_with_its_verdict_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 and the next step for people, the run's result for a script."""
    run = {"package": "arn:…/3", "status": "Rejected", "summary": "Rejected: the gate refused it."}
    monkeypatch.setattr(training, "connect", lambda env: None)
    monkeypatch.setattr("operations.aws.releases.all_known", lambda deployment: set())
    monkeypatch.setattr("operations.aws.training.start_or_join", lambda deployment, overrides: "execution")
    monkeypatch.setattr("operations.aws.training.follow", lambda deployment, execution: run)
    assert main(["train", "--json"]) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out) == run
    assert "make approve PACKAGE=3" in printed.err


def test_the_verdict_is_printed_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The gate's summary begins with the status; nothing is put before it."""
    run = {"package": "arn:…/3", "status": "PendingManualApproval", "summary": "PendingManualApproval: the gate …"}
    monkeypatch.setattr("operations.aws.releases.all_known", lambda deployment: set())
    monkeypatch.setattr("operations.aws.training.start_or_join", lambda deployment, overrides: "execution")
    monkeypatch.setattr("operations.aws.training.follow", lambda deployment, execution: run)
    assert training.train_and_release(None, {}) == run  # type: ignore[arg-type]
    assert capsys.readouterr().out.count("PendingManualApproval") == 1


def test_the_documented_exit_codes_are_true(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each code of `--help` and docs/commands.md is the end of a command that it describes, and there is no other."""
    for name in ("CREDENTIALS", "SERVER_PID", "STATUS"):
        monkeypatch.setattr(f"operations.paths.{name}", tmp_path / "none")

    def interrupted(env: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "connect", interrupted)
    ended = {main(words) for words in (["down"], ["status"], ["train"])}
    with pytest.raises(SystemExit) as wrong:
        main(["approve"])
    documented = re.findall(r"^  (\d+) ", command_line.EXIT_CODES, re.MULTILINE)
    assert ended | {wrong.value.code} == set(map(int, documented)) == {0, 1, 2, 130}


def test_ctrl_c_while_it_still_starts_is_clean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Libraries are loaded for a second; an interruption meanwhile ends as any other."""

    class Interrupted:
        """Finds no module, because Ctrl-C comes while one is looked for."""

        def find_spec(self, name: str, *_: object) -> None:
            if name == "operations.console":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "operations.console")
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    assert main(["status"]) == 130
    assert capsys.readouterr().err == "\nInterrupted.\n"


def test_ctrl_c_says_what_goes_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 130 and the module's own words."""

    def interrupted(env: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "connect", interrupted)
    assert main(["train"]) == 130
    assert "make train" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "variables", "expected"),
    [
        (["approve"], {}, "the following arguments are required: package"),
        (["train"], {"APPROVAL": "perhaps"}, "'perhaps' is not allowed; choose from auto, manual, never"),
        (["up"], {"PORT": "99999"}, "'99999' is not a port"),
        (["unknown"], {}, "invalid choice: 'unknown'; --help lists all"),
        (["relases"], {}, "invalid choice: 'relases'; the nearest is 'releases'"),
        (["train", "--aproval=auto"], {}, "unrecognized arguments: --aproval=auto; the nearest is '--approval'"),
        (["status"], {"ARGS": "--jsn"}, "unrecognized arguments: --jsn; the nearest is '--json'"),
    ],
)
def test_a_wrong_argument_ends_with_2(
    words: list[str],
    variables: dict[str, str],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From the command line or from make, before anything is started."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert expected in capsys.readouterr().err


def test_the_command_line_wins_over_makes_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable is a default; an empty one is none; hyperparameters add up."""
    monkeypatch.setenv("PACKAGE", "3")
    monkeypatch.setenv("DATA_SOURCE", "")
    monkeypatch.setenv("HYPERPARAMETERS", "epochs=3 'text_column=Review Text'")
    assert command_line.parse(["approve"]).package == "3"
    assert command_line.parse(["approve", "4"]).package == "4"
    arguments = command_line.parse(["train", "--hyperparameter", "seed=1"])
    assert arguments.hyperparameter == ["epochs=3", "text_column=Review Text", "seed=1"]
    assert arguments.data_source is None


def test_an_open_quote_is_named(tmp_path: Path) -> None:
    """The variable and what to do, instead of a stack trace."""
    done = run("train", folder=tmp_path, HYPERPARAMETERS="text_column='Review")
    assert done.returncode == 1
    assert "HYPERPARAMETERS can't be split into words" in done.stderr and "Traceback" not in done.stderr
