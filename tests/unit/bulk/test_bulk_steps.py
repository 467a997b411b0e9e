"""The two steps of bulk scoring around a transform that a test plays."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bulk.__main__ import main
from bulk.join import join
from bulk.prepare import prepare
from tables import TableError

PACKAGE = "arn:aws:sagemaker:us-east-1:111122223333:model-package/text-classifier-dev/7"
REQUEST: dict[str, Any] = {
    "input": "s3://data/bulk/reviews/",
    "package": PACKAGE,
    "execution": "run-1",
    "column": "",
    "prefix": "",
    "shard_rows": 3,
    "instances": 2,
    "rows_per_second": 2.0,
}
PRIVATE = "a text that no message may hold"


class Run:
    """The folders of a run. `asked` counts what each execution has the model score."""

    def __init__(self, folder: Path) -> None:
        self.base = folder / "ml" / "processing"
        self.data, self.state = self.base / "input" / "data", self.base / "input" / "state"
        self.message = folder / "ml" / "output" / "message"
        for place in (self.data, self.state / "answers"):
            place.mkdir(parents=True)
        self.ask()

    def ask(self, **changes: Any) -> None:
        """Store the request of the next execution."""
        (self.state / "request.json").write_text(json.dumps(REQUEST | changes))

    def put(self, name: str, text: str) -> None:
        """Store an input file."""
        (self.data / name).parent.mkdir(parents=True, exist_ok=True)
        (self.data / name).write_text(text, encoding="utf-8")

    def prepare(self) -> dict[str, Any]:
        """Run the first step, and carry its plan to where the next step finds it, as S3 does."""
        for old in (self.base / "output").glob("*/*"):
            old.unlink()
        summary = prepare(self.base)
        (self.base / "output" / "plan" / "plan.json").replace(self.state / "plan.json")
        return summary

    @property
    def todo(self) -> list[str]:
        """Names of the shards that are to be scored."""
        return sorted(path.name for path in (self.base / "output" / "todo").iterdir())

    def transform(self, *names: str, labels: bool = False) -> list[str]:
        """Answer shards, all of them by default; return the texts. A text's label is its first word."""
        seen = []
        for name in names or self.todo:
            answers = []
            for line in (self.base / "output" / "todo" / name).read_text(encoding="utf-8").splitlines():
                texts = json.loads(line)["inputs"]
                seen += texts
                predictions = [prediction(text, labels) for text in texts]
                answers.append(json.dumps({"predictions": predictions, "model": {"version": "7"}}))
            (self.state / "answers" / f"{name}.out").write_text("".join(f"{line}\n" for line in answers))
        return seen

    def result(self, name: str) -> Path:
        """An output file."""
        return self.base / "output" / "result" / name

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest."""
        return dict(json.loads(self.result("manifest.json").read_text()))

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The rows that were not scored."""
        return [json.loads(line) for line in self.result("errors.jsonl").read_text().splitlines()]


def prediction(text: str, labels: bool) -> dict[str, Any]:
    """What the played model answers."""
    several = {"labels": text.split()[:2]} if labels else {}
    return {"label": text.split()[0], "confidence": 0.5, "score": None, "truncated": False, **several}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run with folders and a request, and no files."""
    return Run(tmp_path)


def three_files(run: Run) -> None:
    """Seven texts in three formats, and five rows that cannot be scored."""
    run.put("a.csv", f'id;text\n1;red one\n2;\n3;"blue; one"\n4;{"x" * 20_001}\n5;=cmd()\n')
    run.put("more/b.jsonl", '{"text": "green", "n": 1}\nnonsense\n{"text": 7}\n{"n": 2}\n{"text": "white", "n": [2]}\n')
    table = pd.DataFrame({"text": ["black", None, "grey dé"], "day": pd.to_datetime(["2026-01-01"] * 3)})
    table.to_parquet(run.data / "c.parquet")


def test_rows_meet_their_answers_in_the_format_of_their_file(run: Run) -> None:
    """Each scored row stands in its file's output with its own answer, types and delimiter kept."""
    three_files(run)
    run.prepare()
    assert run.transform() == ["red one", "blue; one", "=cmd()", "black", "grey dé", "green", "white"]
    assert join(run.base) == {"read": 13, "scored": 7, "errors": 6}
    with run.result("a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert [(row["id"], row["text"], row["label"]) for row in rows] == [
        ("1", "red one", "red"),
        ("3", "blue; one", "blue;"),
        ("5", "'=cmd()", "'=cmd()"),
    ]
    assert (rows[0]["confidence"], rows[0]["score"], rows[0]["truncated"], rows[0]["model_version"]) == (
        "0.5",
        "",
        "false",
        "7",
    )
    green, white = (json.loads(line) for line in run.result("more/b.jsonl").read_text().splitlines())
    assert (green["n"], green["label"], white["n"], white["label"]) == (1, "green", [2], "white")
    table = pd.read_parquet(run.result("c.parquet"))
    assert table["label"].tolist() == ["black", "grey"]
    assert str(table["day"].dtype).startswith("datetime64")
    assert (table["confidence"].dtype, table["truncated"].dtype) == ("float64", "bool")


def test_rows_without_an_answer_stand_in_a_file_of_their_own(run: Run) -> None:
    """Each has its file, its line and the reason; no text."""
    three_files(run)
    run.prepare()
    run.transform()
    join(run.base)
    assert [(error["file"], error["line"]) for error in run.errors] == [
        ("a.csv", 3),
        ("a.csv", 5),
        ("c.parquet", 2),
        ("more/b.jsonl", 2),
        ("more/b.jsonl", 3),
        ("more/b.jsonl", 4),
    ]
    reasons = [error["error"] for error in run.errors]
    assert reasons[:2] == [f"the text has {n} characters: allowed are 1 to 20000" for n in (0, 20_001)]
    assert reasons[2] == reasons[5] == "the text is missing"
    assert reasons[3].startswith("malformed row: not JSON")
    assert reasons[4] == "the text is no string"


def test_manifest_adds_up(run: Run) -> None:
    """For each file and in all: what was read is what was scored and what was not."""
    three_files(run)
    run.prepare()
    run.transform()
    join(run.base)
    manifest = run.manifest
    for counts in (manifest, *manifest["files"]):
        assert counts["read"] == counts["scored"] + counts["errors"]
    assert manifest["read"] == sum(file["read"] for file in manifest["files"]) == 13
    assert [file["output"] for file in manifest["files"]] == ["a.csv", "c.parquet", "more/b.jsonl"]
    assert (manifest["input"], manifest["package"], manifest["execution"]) == (REQUEST["input"], PACKAGE, "run-1")


def test_a_restart_scores_what_has_no_answer(run: Run) -> None:
    """After two of four shards, and half of a third, only the last two are asked, and the outcome is complete."""
    run.put("a.jsonl", "".join(f'{{"text": "t{n}"}}\n' for n in range(11)))
    assert run.prepare()["to_score"] == 11
    assert run.todo == [f"00000{n}.jsonl" for n in range(4)]
    seen = run.transform("000000.jsonl", "000002.jsonl")
    (run.state / "answers" / "000001.jsonl.out").write_text("")
    again = run.prepare()
    assert (again["answered_before"], again["to_score"]) == (6, 5)
    seen += run.transform()
    assert sorted(seen) == sorted(f"t{n}" for n in range(11))
    assert join(run.base) == {"read": 11, "scored": 11, "errors": 0}
    assert run.prepare()["to_score"] == 0
    assert run.todo == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda run: run.put("a.jsonl", '{"text": "t0"}\n{"text": "other"}\n'), "a.jsonl"),
        (lambda run: run.put("b.jsonl", '{"text": "more"}\n'), "b.jsonl"),
        (lambda run: run.ask(package=PACKAGE.replace("/7", "/8")), "package"),
        (lambda run: run.ask(shard_rows=1), "shard_rows"),
    ],
)
def test_a_restart_with_another_input_is_refused(run: Run, change: Any, named: str) -> None:
    """What changed is named, and what to do; the run's own answers stay."""
    run.put("a.jsonl", '{"text": "t0"}\n{"text": "t1"}\n')
    run.prepare()
    run.transform()
    change(run)
    with pytest.raises(TableError, match=f'another input. Changed: {named}.*another "output"'):
        prepare(run.base)


@pytest.mark.parametrize(
    ("break_it", "problem"),
    [
        (lambda path: path.unlink(), "answers of shard 1 are missing"),
        (lambda path: path.write_text(""), "shard 1 has 0 answers to 1 texts"),
        (lambda path: path.write_text(path.read_text() * 2), "shard 1 has 2 answers to 1 texts"),
    ],
)
def test_answers_that_do_not_fit_are_refused(run: Run, break_it: Any, problem: str) -> None:
    """A missing or a surplus answer never shifts the rows: nothing is joined."""
    run.put("a.jsonl", "".join(f'{{"text": "t{n}"}}\n' for n in range(4)))
    run.prepare()
    run.transform()
    break_it(run.state / "answers" / "000001.jsonl.out")
    with pytest.raises(TableError, match=problem):
        join(run.base)
    assert not run.result("manifest.json").exists()


def test_input_that_changes_under_way_is_refused(run: Run) -> None:
    """Also where as many rows can be scored as before."""
    run.put("a.jsonl", '{"text": "t0"}\n')
    run.prepare()
    run.transform()
    run.put("a.jsonl", '{"text": "t1"}\n')
    with pytest.raises(TableError, match="the input changed while it was scored"):
        join(run.base)


def test_texts_travel_in_groups_that_the_model_takes(run: Run) -> None:
    """At most 100 texts, and at most half a million characters, in one request."""
    run.ask(shard_rows=1000)
    run.put("a.jsonl", "".join(json.dumps({"text": "x" * (1 if n < 150 else 20_000)}) + "\n" for n in range(180)))
    run.prepare()
    lines = (run.base / "output" / "todo" / "000000.jsonl").read_text().splitlines()
    assert [len(json.loads(line)["inputs"]) for line in lines] == [100, 74, 6]


def test_estimate_is_instances_times_hours_times_the_given_price(run: Run) -> None:
    """7,200 rows at 2 a second are an hour, half an hour for two; without a price there is no cost."""
    run.put("a.jsonl", '{"text": "t"}\n' * 7200)
    estimate = run.prepare()
    assert (estimate["instance_hours"], estimate["hours"], estimate["cost"]) == (1.0, 0.5, None)
    run.ask(price_per_hour=0.25)
    assert run.prepare()["cost"] == 0.25


def test_names_of_columns_and_outputs(run: Run) -> None:
    """A prefix keeps added columns apart; packed files get their format's ending; hidden and empty files are none."""
    run.put("a.csv", "text,label\nred,x\n")
    with pytest.raises(TableError, match=r'a\.csv already has columns .*: label\..*"predicted_"'):
        prepare(run.base)
    run.ask(prefix="predicted_", column="label")
    (run.data / "a.csv").unlink()
    (run.data / "a.csv.gz").write_bytes(gzip.compress(b"text,label\nred,x\n"))
    run.put("_SUCCESS", "")
    run.put(".hidden/b.csv", "text\nblue\n")
    run.prepare()
    assert run.transform(labels=True) == ["x"]
    join(run.base)
    (file,) = run.manifest["files"]
    assert file["output"] == "a.csv.gz.csv"
    (row,) = csv.DictReader(run.result("a.csv.gz.csv").open(encoding="utf-8"))
    assert (row["label"], row["predicted_label"], row["predicted_labels"]) == ("x", "x", "x")


def test_file_without_a_row_to_score_has_an_empty_output(run: Run) -> None:
    """In every format; the counts still add up."""
    run.put("a.csv", "text\n\n \n")
    pd.DataFrame({"text": [None]}).to_parquet(run.data / "b.parquet")
    run.put("c.jsonl", '{"text": ""}\n')
    assert run.prepare()["to_score"] == 0
    counts = join(run.base)
    assert counts["read"] == counts["errors"] > 0
    assert len(pd.read_parquet(run.result("b.parquet"))) == 0


def test_message_of_the_job(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """A step leaves its summary; a refusal its reason; a fault of ours its kind alone, without what stood in a row."""
    run.put("a.csv", f"text\n{PRIVATE}\n")
    assert main(run.base, "prepare") == 0
    assert json.loads(run.message.read_text())["to_score"] == 1
    run.put("a.csv", "x,y\n1,2\n")
    assert main(run.base, "prepare") == 1
    asked = "Which column holds the text? The columns are 'x', 'y'. Give one of them as \"column\"."
    assert run.message.read_text() == asked
    (run.base / "output" / "plan" / "plan.json").replace(run.state / "plan.json")
    run.put("a.csv", f"text\n{PRIVATE}\n")
    (run.state / "answers" / "000000.jsonl.out").write_text(f'{{"{PRIVATE}": 1}}\n')
    assert main(run.base, "join") == 1
    said = run.message.read_text() + capsys.readouterr().out
    assert "KeyError" in said and "join.py" in said
    assert PRIVATE not in said


def test_message_about_many_files(run: Run) -> None:
    """SageMaker keeps 1,024 bytes: names are cut, the next step is not."""
    run.put("a.jsonl", '{"text": "t"}\n')
    run.prepare()
    for number in range(99):
        run.put(f"größer-{number}.jsonl", '{"text": "t"}\n')
    assert main(run.base, "prepare") == 1
    said = run.message.read_text(encoding="utf-8")
    assert "Changed: größer-0.jsonl, " in said and said.endswith("to begin a new one.")
    assert 990 < len(said.encode()) <= 1024


def test_message_about_many_columns(run: Run) -> None:
    """A text where a name should stand is not quoted, and however many there are, the next step is kept."""
    run.put("a.jsonl", json.dumps({PRIVATE: 1, **{f"a_long_name_{n}": 1 for n in range(99)}}))
    assert main(run.base, "prepare") == 1
    said = run.message.read_text()
    assert "(column 1), 'a_long_name_0', " in said and said.endswith('Give one of them as "column".')


def test_no_file_is_refused(run: Run) -> None:
    """The prefix is named, and what may be wrong with it."""
    with pytest.raises(TableError, match="no file below s3://data/bulk/reviews/"):
        prepare(run.base)
