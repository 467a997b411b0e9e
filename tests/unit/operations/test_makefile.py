"""Variables of make reach the commands as they were typed: this runs the real make, which runs the real command."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def make(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run make without set-up, in an environment without variables of make, with `folder` for the local cloud."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    environment = {**kept, "LOCAL_DIR": str(folder / ".local"), **variables}
    command = ["make", "--no-print-directory", "--old-file=setup", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def overrides(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    """The execution's input that `make train` says before it looks for the local cloud."""
    line = next(line for line in done.stdout.splitlines() if line.startswith("Input of the execution: "))
    assert "make up" in done.stderr and done.returncode == 2  # make's own code for a recipe that failed
    return dict(json.loads(line.removeprefix("Input of the execution: ")))


@pytest.mark.parametrize("from_environment", [False, True])
def test_nothing_in_a_value_is_run(tmp_path: Path, from_environment: bool) -> None:
    """Semicolons, substitutions, backticks, make's own functions, quotes and blanks arrive whole."""
    mark = tmp_path / "mark"
    hostile = f"a;touch {mark};$(touch {mark})`touch {mark}`$(shell touch {mark})$$(touch {mark})|&>{mark} \"'#\\%s"
    quoted = "'" + hostile.replace("'", "'\"'\"'") + "'"
    values = {
        "HYPERPARAMETERS": f'label_names={quoted} text_column="Review Text" epochs=3',
        "DATA_SOURCE": hostile,
        "TRAINING_JOB": hostile,
        "INPUT": json.dumps({"note": hostile}),
    }
    if from_environment:
        done = make("train", folder=tmp_path, **values)
    else:
        done = make("train", *(f"{name}={value}" for name, value in values.items()), folder=tmp_path)
    expected = {"label_names": hostile, "text_column": "Review Text", "epochs": "3"}
    given = {"note": hostile, "hyperparameters": expected, "data_source": hostile, "training_job": hostile}
    assert overrides(done) == given
    assert not mark.exists()


@pytest.mark.parametrize(
    "target", ["approve", "rollback", "releases", "report", "predict", "size-endpoint", "cdk", "up", "data", "evaluate"]
)
def test_no_target_runs_what_its_variables_hold(target: str, tmp_path: Path) -> None:
    """Each ends with a message of its own, and the mark of a command inside a variable is never made."""
    mark = tmp_path / "mark"
    hostile = f"1; touch {mark}; $(touch {mark}) `touch {mark}` $(shell touch {mark})"
    names = ("PACKAGE", "TEXT", "ARTIFACT", "ENV", "PORT", "CONTEXT", "DATA")
    arguments = [f"{name}={hostile}" for name in names if (name, target) != ("ENV", "up")]
    done = make(target, *arguments, f"ARGS='{hostile}'", folder=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr and "unexpected" not in done.stderr
    assert not mark.exists()


def test_arguments_are_split_as_a_shell_splits_them(tmp_path: Path) -> None:
    """Quotes hold a value together; options of the command work behind make."""
    done = make("size-endpoint", 'ARGS=--seconds "a b"', folder=tmp_path)
    assert "argument --seconds: 'a b' is not allowed" in done.stderr
    assert "recommend memory" in make("size-endpoint", "ARGS=--help", folder=tmp_path).stdout


def test_help_shows_a_value_and_does_not_run_it(tmp_path: Path) -> None:
    """`make help` prints the variables."""
    mark = tmp_path / "mark"
    done = make("help", f'DATA=$(touch {mark})`touch {mark}`"', folder=tmp_path)
    assert f'DATA=$(touch {mark})`touch {mark}`"' in done.stdout
    assert not mark.exists()


def test_without_variables_the_defaults_hold(tmp_path: Path) -> None:
    """The empty input, as in the console."""
    assert overrides(make("train", folder=tmp_path)) == {}


def test_a_misspelt_variable_is_refused(tmp_path: Path) -> None:
    """With the nearest one that a command reads; the commands' own and those of other programs are not."""
    for name, meant in (("HYPERPARAMETER", "HYPERPARAMETERS"), ("env", "ENV")):
        done = make("train", f"{name}=$(touch {tmp_path}/mark)", folder=tmp_path)
        assert done.returncode == 2 and "Input of the execution" not in done.stdout
        assert f"no command reads {name}; the nearest variable of make is {meant}" in done.stderr
    assert overrides(make("train", "NO_COLOR=1", "AWS_PROFILE=x", "PART=x", "TEST_WORKERS=2", folder=tmp_path)) == {}
    assert not (tmp_path / "mark").exists()


STAND_IN = """#!/bin/sh
printf '%s\\0' "$@" TEXT="$TEXT" LOGIN="$HF_TOKEN_PATH" >> "$RECORD"
"""
NAMES = sorted({*re.findall(r"\b([A-Z][A-Z_]+)\b", (ROOT / "Makefile").read_text())} - {"PATH", "MAKEFLAGS", "SHELL"})
"""Every variable of the Makefile, and a few words; not the three that make and the shell are told by."""
HOSTILE = (
    "$(touch {})",
    "`touch {}`",
    "$(shell touch {})",
    "$$(shell touch {})",
    "$$(touch {})",
    "; touch {}; ",
    "'; touch {}; '",
    '"; touch {}; "',
    "a\ntouch {}\nb",
    "& touch {} &",
    "-e touch {}",
)


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """A folder with the Makefile and a stand-in for every program of the project, which notes its arguments."""
    folder = tmp_path / "a project"
    for name in (".venv/bin/python", "python3"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(STAND_IN)
        (folder / name).chmod(0o755)
    shutil.copy(ROOT / "Makefile", folder)
    return folder


def run_all(folder: Path, *words: str, **variables: str) -> list[str]:
    """Run every target but `clean`, and return all arguments of all programs."""
    record = folder / "record"
    record.touch()
    kept = {"PATH": f"{folder}:{os.environ['PATH']}", "RECORD": str(record), "HOME": str(folder)}
    targets = re.findall(r"^([a-z-]+):.*?## ", (folder / "Makefile").read_text(), re.MULTILINE)
    # The nightly tests refuse an unknown part, which ends make: they come last. So does set-up where PYTHON is hostile.
    first = [name for name in targets if name not in ("clean", "test-nightly", "setup")]
    for some in ([*first, "--old-file=setup"], ["test-nightly", "--old-file=setup"], ["setup"]):
        command = ["make", "--keep-going", *some, *words]
        subprocess.run(command, cwd=folder, env=kept | variables, capture_output=True, timeout=60)
    return record.read_text().split("\0")


@pytest.mark.parametrize("how", ["on the command line", "from the environment", "from the environment, with -e"])
@pytest.mark.parametrize("value", HOSTILE)
def test_no_variable_of_any_target_is_run(value: str, how: str, stand_in: Path) -> None:
    """Whatever each variable holds, no target runs it: neither make nor the shell reads it."""
    mark = stand_in.parent / "mark"
    hostile = value.format(mark)
    values = dict.fromkeys(NAMES, hostile)
    if how == "on the command line":
        ran = run_all(stand_in, *(f"{name}={hostile}" for name in NAMES))
    else:
        ran = run_all(stand_in, *["-e"] * how.endswith("-e"), **values)
    assert not mark.exists()
    assert f"TEXT={hostile}" in ran and "operations" in ran and f"--artifact={hostile}" in ran


@pytest.mark.parametrize(
    ("variables", "file"),
    [
        ({}, "{home}/.cache/huggingface/token"),
        ({"XDG_CACHE_HOME": "/cache"}, "/cache/huggingface/token"),
        ({"HF_HOME": "/mine", "XDG_CACHE_HOME": "/cache"}, "/mine/token"),
        ({"HF_HOME": "/mine", "HF_TOKEN_PATH": "/a/file"}, "/a/file"),
    ],
)
def test_publishing_takes_the_token_of_the_readers_own_login(
    variables: dict[str, str], file: str, stand_in: Path
) -> None:
    """Although models lie in the project's folder; no other command gets to know it."""
    kept = {"PATH": f"{stand_in}:{os.environ['PATH']}", "RECORD": str(stand_in / "record"), "HOME": str(stand_in)}
    for target, login in (("publish", file.format(home=stand_in)), ("status", variables.get("HF_TOKEN_PATH", ""))):
        command = ["make", "--old-file=setup", target]
        subprocess.run(command, cwd=stand_in, env=kept | variables, capture_output=True, timeout=60, check=True)
        assert (stand_in / "record").read_text().split("\0")[-2] == f"LOGIN={login}"


def test_a_folder_of_any_name_is_not_run(stand_in: Path) -> None:
    """The project's own path is a value, too."""
    mark = stand_in.parent / "mark"
    odd = stand_in.rename(stand_in.parent / f"a$(touch {mark.name})`touch {mark.name}`\";'b")
    assert "operations" in run_all(odd)
    assert not list(stand_in.parent.rglob("mark"))


def test_a_shell_can_complete_every_target() -> None:
    """What bash-completion asks make for holds each of them, and nothing is run."""
    command = ["make", "--no-print-directory", "-npq", "__BASH_MAKE_COMPLETION__=1", ".DEFAULT"]
    asked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    targets = re.findall(r"^([a-z-]+):.*?## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(targets) > 30 and not [name for name in targets if f"\n{name}:" not in asked.stdout]


def test_help_fits_80_columns(tmp_path: Path) -> None:
    """Long descriptions go on below themselves."""
    lines = make("help", folder=tmp_path, DATA="").stdout.splitlines()
    assert max(map(len, lines)) <= 80 and any(line.startswith(" " * 25) for line in lines)
