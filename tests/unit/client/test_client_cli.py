"""text_classifier.cli: exit codes, what is printed where, and what is never printed."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest

from contract_api import ContractApi, Fault, prediction
from text_classifier import cli


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine has set."""
    monkeypatch.delenv(cli.URL, raising=False)
    monkeypatch.delenv(cli.KEY, raising=False)


def test_texts_are_scored_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """For people as label, confidence and score; for programs as JSON."""
    with ContractApi() as api:
        assert cli.main(["score", "--url", api.url, "first", "second"]) == cli.DONE
        plain = capsys.readouterr().out.splitlines()
        assert cli.main(["score", "--url", api.url, "--json", "first"]) == cli.DONE
    said = prediction("first")
    assert plain[0] == f"{said['label']}  {said['confidence']:.2f}  score {said['score']:.2f}"
    assert len(plain) == 2
    assert json.loads(capsys.readouterr().out) == {"text": "first", **said, "model_version": "7", "error": None}


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """0 here, where it is not installed; tests/integration/test_client_package.py has it installed."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, "text-classifier 0\n")


def test_classes_are_printed_below_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    """With --top-k, the most probable first."""
    with ContractApi() as api:
        assert cli.main(["score", "--url", api.url, "--top-k", "all", "first"]) == cli.DONE
    scores = prediction("first", {"top_k": None})["scores"]
    assert capsys.readouterr().out.splitlines()[1:] == [f"  {one['confidence']:.2f}  {one['label']}" for one in scores]


@pytest.mark.parametrize("value", ["0", "1001", "many", "-1", ""])
def test_an_impossible_number_of_classes_is_refused(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With what is allowed."""
    with pytest.raises(SystemExit):
        cli.main(["score", "--url", "http://localhost", f"--top-k={value}", "x"])
    assert "neither 1 to 1000 nor all" in capsys.readouterr().err


@pytest.mark.parametrize("out", [True, False])
def test_a_file_gets_a_column_for_each_class(tmp_path: Path, capsys: pytest.CaptureFixture[str], out: bool) -> None:
    """Into a file, through the journal, and into standard output alike."""
    (tmp_path / "in.csv").write_text("review\ngood\n\nbad\n")
    written = ["--out", str(tmp_path / "out.csv")] if out else []
    with ContractApi() as api:
        command = ["score", "--url", api.url, "--file", str(tmp_path / "in.csv"), "--top-k", "all", *written]
        assert cli.main(command) == cli.DONE
    content = (tmp_path / "out.csv").read_text() if out else capsys.readouterr().out
    header, *rows = content.splitlines()
    assert header.endswith(",error,confidence_helpful,confidence_not_helpful")
    assert [sum(map(float, row.split(",")[-2:])) for row in rows] == [1.0, 1.0]


def test_a_refused_text_is_exit_code_3(capsys: pytest.CaptureFixture[str]) -> None:
    """The others are scored all the same."""
    with ContractApi() as api:
        assert cli.main(["score", "--url", api.url, "", "good"]) == cli.SOME_REFUSED
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("refused  empty")
    assert len(lines) == 2


def test_a_file_is_scored_into_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output stays empty; what was done is told on the other one."""
    (tmp_path / "in.csv").write_text("id,review\n1,good\n2,\n")
    arguments = ["score", "--file", str(tmp_path / "in.csv"), "--out", str(tmp_path / "out.csv")]
    with ContractApi() as api:
        assert cli.main([*arguments, "--url", api.url]) == cli.SOME_REFUSED
    said = capsys.readouterr()
    assert said.out == ""
    assert "2 rows: 1 scored, 1 refused; 1 requests." in said.err
    assert "Model version 7." in said.err
    assert (tmp_path / "out.csv").read_text().count("\n") == 3


FILES = {
    "ragged.csv": (
        b"id,text\n1,fine\n2,one, too many\n3,fine again\n4\n",
        cli.SOME_REFUSED,
        ["1", "2", "3", "4"],
        [2, 4],
    ),
    "tab.tsv": (b'id\ttext\n1\ta, b\n2\tsaid "so"\n', cli.DONE, ["1", "2"], []),
    "latin-1.csv": ("id;text\n1;Größe\n2;schön\n".encode("latin-1"), cli.DONE, ["1", "2"], []),
    "utf-16.jsonl": ('{"id": "1", "text": "Größe"}\n'.encode("utf-16"), cli.DONE, ["1"], []),
    "packed.csv.gz": (gzip.compress(b"id,text\n1,a\n"), cli.DONE, ["1"], []),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("out", [True, False])
def test_files_are_read_as_training_reads_them(
    name: str, out: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was found is said; malformed rows are written with their error."""
    content, code, ids, refused = FILES[name]
    (tmp_path / name).write_bytes(content)
    written = ["--out", str(tmp_path / "out")] if out else []
    with ContractApi() as api:
        assert cli.main(["score", "--url", api.url, "--file", str(tmp_path / name), "--json", *written]) == code
    said = capsys.readouterr()
    assert "Read as " in said.err
    rows = [json.loads(line) for line in ((tmp_path / "out").read_text("utf-8") if out else said.out).splitlines()]
    assert [row["id"] for row in rows] == ids
    assert [place for place, row in enumerate(rows, 1) if row["error"]] == refused


def test_standard_input_goes_to_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One text a line by default; other forms are named."""
    with ContractApi() as api:
        for content, options, first in (
            ("one\ntwo\n", [], "one"),
            ('{"a": "one"}\n', ["--format", "jsonl"], '{"a"'),
            ("id;text\n1;one\n", ["--format", "auto"], "1;one;"),
        ):
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
            assert cli.main(["score", "--url", api.url, "--file", "-", *options]) == cli.DONE
            lines = capsys.readouterr().out.splitlines()
            assert any(line.startswith(first) for line in lines)


@pytest.mark.parametrize(
    "arguments",
    [
        ["score", "a"],
        ["score", "--url", "ftp://x", "a"],
        ["score", "--url", "http://x"],
        ["score", "--url", "http://x", "a", "--file", "b.csv"],
        ["score", "--url", "http://x", "a", "--out", "b.csv"],
        ["score", "--url", "http://x", "--file", "-", "--out", "b.csv"],
        ["score", "--url", "http://x", "--file", "b.xlsx", "--out", "b.csv"],
        ["score", "--url", "http://x", "--file", "missing.csv", "--out", "b.csv"],
        ["score", "--url", "http://x", "a", "--in-flight", "0"],
        ["score", "--url", "http://x", "a", "--retry-seconds", "-1"],
    ],
)
def test_a_command_that_cannot_be_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With what is wrong and the next step, and without a stack trace."""
    assert cli.main(arguments) == cli.USAGE
    said = capsys.readouterr().err
    assert "Error: " in said
    assert "Next step: " in said


@pytest.mark.parametrize("arguments", [[], ["score", "--nonsense"], ["score", "a", "--in-flight", "many"]])
def test_argparse_has_the_same_exit_code(arguments: list[str]) -> None:
    """2 is usage, whoever notices."""
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == cli.USAGE


def test_a_failing_api_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    """With what the API said."""
    with ContractApi(lambda number, texts: Fault(503, code="model_not_released")) as api:
        assert cli.main(["score", "--url", api.url, "a", "--retry-seconds", "0"]) == cli.FAILED
    assert "503 model_not_released" in capsys.readouterr().err


def test_a_missing_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a stack trace."""
    assert cli.main(["score", "--url", "http://x", "--file", "missing.csv"]) == cli.USAGE
    assert "missing.csv" in capsys.readouterr().err


def test_the_key_comes_from_the_environment_and_is_never_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the command line it works too, with a note that others can see it there."""
    with ContractApi(api_key="s3cret") as api:
        monkeypatch.setenv(cli.URL, api.url)
        assert cli.main(["score", "a"]) == cli.FAILED
        assert cli.KEY in capsys.readouterr().err
        monkeypatch.setenv(cli.KEY, "s3cret")
        assert cli.main(["score", "a", "--verbose"]) == cli.DONE
        monkeypatch.setenv(cli.KEY, "wrong")
        assert cli.main(["score", "a", "--api-key", "s3cret"]) == cli.DONE
        assert cli.main(["score", "a", "--api-key", "s3cret\nb"]) == cli.USAGE
    said = capsys.readouterr()
    assert "can see" in said.err
    assert "s3cret" not in said.out + said.err


@pytest.mark.parametrize("command", [["health"], ["health", "--deep"], ["model"]])
def test_health_and_model_print_what_the_api_says(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON."""
    with ContractApi() as api:
        assert cli.main([*command, "--url", api.url]) == cli.DONE
    assert isinstance(json.loads(capsys.readouterr().out), dict)


def test_ctrl_c_says_how_far_it_is_and_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the run goes on from there."""
    (tmp_path / "in.txt").write_text("".join(f"text {number}\n" for number in range(500)))
    arguments = ["score", "--file", str(tmp_path / "in.txt"), "--out", str(tmp_path / "out.csv"), "--in-flight", "1"]
    show = cli._Progress.tell

    def press(self: cli._Progress, done: int, rows: int) -> None:
        show(self, done, rows)
        if done == 200:
            raise KeyboardInterrupt

    with ContractApi() as api:
        monkeypatch.setenv(cli.URL, api.url)
        with monkeypatch.context() as patch:
            patch.setattr(cli._Progress, "tell", press)
            assert cli.main(arguments) == cli.INTERRUPTED
        said = capsys.readouterr().err
        assert "Interrupted. 200 of 500 rows are done." in said
        assert "Next step: the same command resumes from there." in said
        assert cli.main(arguments) == cli.DONE
        assert "Resuming: 200 of 500 rows are done." in capsys.readouterr().err


def test_help_documents_exit_codes_and_environment(capsys: pytest.CaptureFixture[str]) -> None:
    """For every command."""
    for command in ([], ["score"], ["health"], ["model"]):
        with pytest.raises(SystemExit):
            cli.main([*command, "--help"])
        printed = capsys.readouterr().out
        assert all(word in printed for word in (cli.URL, cli.KEY, "exit codes", "130"))


STEERING = "a\x1b[2Jb\x9b31m\u202ec\rd"


@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_from_a_file_or_server_steers_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    """Escapes are shown as such on a terminal; into a pipe, rows go as they are."""
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": STEERING}), encoding="utf-8")
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    with ContractApi() as api:
        assert cli.main(["score", "--url", api.url, "--file", str(tmp_path / "in.jsonl")]) == cli.DONE
    out = capsys.readouterr().out
    assert out.endswith("\n") and ("\x9b" in out) is not terminal
    assert cli.shown(STEERING) == r"a\x1b[2Jb\x9b31m\u202ec\rd"


def test_a_message_about_a_column_steers_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A column's name stands in an error as escapes."""
    (tmp_path / "in.csv").write_text("x\x1b[31m,y\n1,2\n")
    assert cli.main(["score", "--url", "http://localhost", "--file", str(tmp_path / "in.csv")]) == cli.USAGE
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize("out", [True, False])
def test_changed_cells_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str], out: bool) -> None:
    """Cells that got a ' are said, with the option that omits it."""
    (tmp_path / "in.csv").write_text("text\n=1+1\nfine\n")
    command = ["score", "--file", str(tmp_path / "in.csv"), *(["--out", str(tmp_path / "out.csv")] if out else [])]
    with ContractApi() as api:
        assert cli.main([*command, "--url", api.url]) == cli.DONE
    assert "before them: 1;" in capsys.readouterr().err
