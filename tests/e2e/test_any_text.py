"""A newcomer's path: a file of their own and no other option, to an answered request.

Each of the forms in `FORMS` has a test that takes it through a real `make up DATA=…`: read, uploaded, trained on by
the workflow, released and asked for over HTTP. They share one local cloud, whose stacks are deployed once. The first
`BY_DAY` of them run in `make test`, beside the semicolons in cp1252; the others at night.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import random
import re
import resource
import shlex
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas
import pytest
import requests

from excel_files import workbook, zipped
from local_project import LONGEST_TRAINING_SECONDS, LocalProject, LocalProjects
from small_model import write_small_model

pytestmark = pytest.mark.e2e

LABELS = ("billing", "shipping", "technical")
ROWS = 720
QUICK_SECONDS = 60
"""Most processor time of the commands behind a `make up` that has nothing to do; other tests do not count in it."""
_OPENINGS = ("Hello,", "Good morning,", "I am writing because", "For the second time:", "Please help,", "Hi team,")
_SUBJECTS = {
    "billing": ("the invoice", "my credit card statement", "the refund", "the monthly payment", "the tax on the bill"),
    "shipping": ("the parcel", "my delivery", "the courier's tracking page", "the package", "the shipment abroad"),
    "technical": ("the app", "the login screen", "the software update", "the settings page", "the password reset"),
}
_PROBLEMS = {
    "billing": ("was charged twice", "shows the wrong amount", "has not been paid back", "is higher than agreed"),
    "shipping": ("has not arrived", "was left at a neighbour's door", "came with a torn box", "went to an old address"),
    "technical": ("crashes on start", "shows an error code", "freezes after a click", "does not load at all"),
}
_CLOSINGS = ("Can you look into it?", "I need an answer this week.", "What shall I do?", "Thank you; kind regards.")


@dataclass(frozen=True)
class Served:
    """What a newcomer has and sees.

    Attributes:
        project: its make commands, status and clients.
        file: the CSV.
        up: what `make up` printed.
    """

    project: LocalProject
    file: Path
    up: str


def write_tickets(file: Path) -> Path:
    """Write a semicolon-separated file in cp1252, as a spreadsheet saves it, with a column that is neither."""
    draw = random.Random(3)
    rows = [
        (" ".join((opening, subject, f"{problem}.", closing)), label)
        for label in LABELS
        for opening, subject, problem, closing in itertools.product(
            _OPENINGS, _SUBJECTS[label], _PROBLEMS[label], _CLOSINGS
        )
    ]
    draw.shuffle(rows)
    with file.open("w", encoding="cp1252", newline="") as stream:
        writer = csv.writer(stream, delimiter=";")
        writer.writerow(("ticket", "message", "team"))
        writer.writerows((f"T-{number:05}", text, label) for number, (text, label) in enumerate(rows[:ROWS]))
    return file


@pytest.fixture(scope="module")
def served(projects: LocalProjects, deployed: Path, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """`make up DATA=tickets.csv` with a small base model."""
    folder = tmp_path_factory.mktemp("any-text")
    file = write_tickets(folder / "tickets.csv")

    def start() -> Served:
        base = write_small_model(folder / "base")
        project = projects.new(
            "any-text", copy_of=deployed, DATA=str(file), CONTEXT=f"training.base_model={base}", HYPERPARAMETERS=""
        )
        return Served(project, file, project.make("up", timeout=LONGEST_TRAINING_SECONDS).stdout)

    return projects.keep("any text", start)


def test_what_was_found_out_is_shown_before_the_deployment(served: Served) -> None:
    """Rows, classes and columns, above the first step."""
    shown, first_step, _ = served.up.partition("[1/5]")
    assert first_step
    line = next(line for line in shown.splitlines() if "read as" in line)
    assert f"{ROWS} rows" in line and "3 classes" in line
    assert all(label in line for label in LABELS)
    assert "text column message, label column team" in line


@pytest.mark.proves("make up DATA=tickets.csv")
def test_the_printed_curl_line_gives_a_score_for_each_class(served: Served) -> None:
    """Pasted as it is: three scores, most probable first, that add up to 1."""
    line = [line.strip() for line in served.up.splitlines() if line.strip().startswith("curl ")][-1]
    command = shlex.split(line.replace("curl ", "curl -sS --fail-with-body ", 1))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    (prediction,) = json.loads(done.stdout)["predictions"]
    scores = [(one["label"], one["confidence"]) for one in prediction["scores"]]
    assert {label for label, _ in scores} == set(LABELS)
    assert sum(confidence for _, confidence in scores) == pytest.approx(1, abs=0.01)
    assert scores == sorted(scores, key=lambda score: -score[1])
    assert (prediction["label"], prediction["confidence"]) == scores[0]


@pytest.mark.proves("make data DATA=tickets.csv")
def test_data_shows_the_same_lines(served: Served) -> None:
    """What `make data` shows alone is what `make up` showed first."""
    shown = served.project.make("data").stdout
    line = next(line for line in shown.splitlines() if "read as" in line)
    assert line.strip() in served.up


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("The invoice shows the wrong amount.", "billing"),
        ("The parcel has not arrived.", "shipping"),
        ("The app crashes on start.", "technical"),
    ],
)
def test_a_new_text_gets_its_label(served: Served, text: str, label: str) -> None:
    """The model learned the file's own labels."""
    answer = served.project.post({"inputs": text})
    assert answer.status_code == 200, answer.text
    assert answer.json()["predictions"][0]["label"] == label


def test_evaluate_asks_about_the_held_out_rows(served: Served, tell: Callable[[str], None]) -> None:
    """Without DATA: the rows that this model's training held out, with a figure for each label."""
    output = served.project.make("evaluate", "DATA=").stdout
    figures = json.loads((served.project.folder / "evaluation.json").read_text())
    assert set(figures["classes"]) == set(LABELS)
    held_out = sum(one["rows"] for one in figures["classes"].values())
    assert figures["rows"] == held_out and 0 < held_out < ROWS / 2
    tell(f"{held_out} held-out rows: accuracy {figures['accuracy']:.3f}, macro F1 {figures['macro_f1']:.3f}")
    assert figures["accuracy"] >= 0.9 and figures["macro_f1"] >= 0.9, output
    assert figures["accuracy_95"][1] <= 1.0 and figures["accuracy_95"][0] < figures["accuracy"]


@pytest.mark.proves("make evaluate DATA=newer.csv")
def test_evaluate_reads_another_file_as_the_first(served: Served, tmp_path: Path) -> None:
    """The same columns in another order and encoding; all its rows count."""
    file = tmp_path / "newer.csv"
    rows = [(label, f"{_SUBJECTS[label][0]} {_PROBLEMS[label][number]}") for label in LABELS for number in range(4)]
    file.write_text("\n".join(["team,message", *(f"{label},{text}" for label, text in rows)]), encoding="utf-8-sig")
    served.project.make("evaluate", f"DATA={file}")
    figures = json.loads((served.project.folder / "evaluation.json").read_text())
    assert figures["rows"] == len(rows)


def test_evaluate_refuses_labels_that_the_model_does_not_have(served: Served, tmp_path: Path) -> None:
    """No figure is printed; the refusal names the label and the next step."""
    file = tmp_path / "other.csv"
    lines = [f"text number {number},{label}" for label in ("billing", "praise") for number in range(12)]
    file.write_text("\n".join(["message,team", *lines]))
    done = served.project.make("evaluate", f"DATA={file}", check=False)
    assert done.returncode != 0
    assert "praise" in done.stdout and "make train DATA=" in done.stdout
    assert "accuracy" not in done.stdout and "Traceback" not in done.stdout


def test_the_report_and_the_model_name_the_labels(served: Served) -> None:
    """`make report` writes a page, and /v1/model lists the same labels."""
    served.project.make("report")
    (page,) = (served.project.folder / "reports").glob("*.html")
    html = page.read_text(encoding="utf-8")
    assert all(label in html for label in LABELS)
    model: dict[str, Any] = requests.get(f"{served.project.status['api_url']}/v1/model", timeout=40).json()
    assert all(label in json.dumps(model) for label in LABELS)


def processor_seconds() -> float:
    """Processor time of all commands that this process has run to their end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_second_make_up_is_quick_and_keeps_the_model(served: Served) -> None:
    """The same file is neither uploaded nor trained on again, and the redeployment does not touch the champion.

    Nothing to do takes few seconds of processor time.
    """
    before, computed = served.project.post({"inputs": "the refund"}).json()["model"], processor_seconds()
    output = served.project.make("up").stdout
    assert processor_seconds() - computed < QUICK_SECONDS
    assert "already there" in output and "serves already" in output
    assert served.project.status["model_version"] == before["version"]
    assert served.project.post({"inputs": "the refund"}).json()["model"] == before


def rows_of(form: str) -> list[tuple[str, str]]:
    """The texts and labels of a form, which no other form has."""
    return [
        (f"{opening} {subject} {problem}. {closing} ({form} {number})", label)
        for label in LABELS
        for number, (opening, subject, problem, closing) in enumerate(
            itertools.product(_OPENINGS[:3], _SUBJECTS[label], _PROBLEMS[label], _CLOSINGS)
        )
    ]


def table(form: str) -> pandas.DataFrame:
    """The rows of a form as a shuffled table."""
    return pandas.DataFrame(rows_of(form), columns=["message", "team"]).sample(frac=1, random_state=3)


def write_parts(folder: Path) -> Path:
    """Files named after their splits."""
    folder.mkdir()
    frame = table("folder")
    for name, part in {"train": frame[:480], "dev": frame[480:580], "test": frame[580:]}.items():
        part.to_csv(folder / f"{name}.csv", index=False)
    return folder


def written(file: Path, content: bytes | str) -> Path:
    """A file with this content."""
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


FORMS: dict[str, Callable[[Path], Path]] = {
    "quoted TSV": lambda at: written(
        at / "a.tsv", table("quoted").replace(r"the (\w+)", r'the "\1"', regex=True).to_csv(sep="\t")
    ),
    "Excel": lambda at: written(
        at / "a.xlsx", workbook({"Q1": [["message", "team"], *map(list, table("Excel").to_numpy())]})
    ),
    "CSV": lambda at: written(at / "a.csv", table("CSV").to_csv(index=False)),
    "UTF-16": lambda at: written(at / "a.txt", table("UTF").to_csv(sep="\t", index=False).encode("utf-16")),
    "JSON Lines": lambda at: written(at / "a.jsonl", table("lines").to_json(orient="records", lines=True)),
    "JSON": lambda at: written(at / "a.json", table("JSON").to_json(orient="records")),
    "Parquet": lambda at: written(at / "a.parquet", table("Parquet").to_parquet()),
    "gzip": lambda at: written(at / "a.csv.gz", gzip.compress(table("gzip").to_csv(index=False).encode())),
    "zip": lambda at: written(
        at / "a.zip", zipped({"a.csv": table("zip").to_csv(index=False).encode(), "README": b"x"})
    ),
    "folder": lambda at: write_parts(at / "parts"),
    "headerless": lambda at: written(at / "a.csv", table("headerless").to_csv(index=False, header=False)),
    "fastText": lambda at: written(
        at / "a.txt", "".join(f"__label__{label} {text}\n" for text, label in table("fastText").to_numpy())
    ),
}
BY_DAY = 1


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(form, marks=[pytest.mark.nightly(part="real-data")] if number >= BY_DAY else [])
        for number, form in enumerate(FORMS)
    ],
)
def test_a_file_in_any_form_becomes_an_answer(
    served: Served, form: str, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    """`make up DATA=…` shows the file's three labels and trains a new model, which the API answers with.

    The gate compares it with the model of the form before, and releases it by itself: the labels are the same.
    """
    before = served.project.status["model_version"]
    file = FORMS[form](tmp_path)
    started = time.monotonic()
    output = served.project.make("up", f"DATA={file}", timeout=LONGEST_TRAINING_SECONDS).stdout
    line = next(line for line in output.splitlines() if "read as" in line)
    assert all(label in line for label in LABELS), line
    tell(f"{form}: {time.monotonic() - started:.0f} s")
    assert "serves already" not in output, output
    for label in LABELS:
        text = f"{_OPENINGS[0]} {_SUBJECTS[label][0]} {_PROBLEMS[label][0]}. {_CLOSINGS[0]}"
        answer = served.project.post({"inputs": text})
        assert answer.status_code == 200, answer.text
        assert answer.json()["model"]["version"] != before
        (prediction,) = answer.json()["predictions"]
        assert prediction["label"] == label


@pytest.mark.nightly(part="real-data")
def test_several_labels_a_text_are_approved_and_answered(served: Served, tmp_path: Path) -> None:
    """The labels are other ones than the champion's, so a person approves; then a text of two kinds has two labels.

    It stands last: the model that it leaves behind answers with several labels.
    """
    before = served.project.status["model_version"]
    singles = [(text, label) for text, label in table("several").to_numpy()]
    pairs = [
        (f"{text} {other}", f"{label}|{second}")
        for (text, label), (other, second) in itertools.pairwise(singles)
        if label != second
    ]
    file = tmp_path / "several.csv"
    pandas.DataFrame(singles + pairs, columns=["message", "teams"]).to_csv(file, index=False)
    output = served.project.make("up", f"DATA={file}", timeout=LONGEST_TRAINING_SECONDS).stdout
    assert "a text)" in next(line for line in output.splitlines() if "read as" in line)
    assert f"model version {before} answers still" in output
    (package,) = set(re.findall(r"make approve (PACKAGE=\d+)", output))
    served.project.make("approve", package)
    kinds = ("billing", "shipping")
    text = " ".join(f"{_OPENINGS[0]} {_SUBJECTS[kind][0]} {_PROBLEMS[kind][0]}. {_CLOSINGS[0]}" for kind in kinds)
    answer = served.project.post({"inputs": text})
    assert answer.status_code == 200, answer.text
    assert answer.json()["model"]["version"] != before
    (prediction,) = answer.json()["predictions"]
    assert set(prediction["labels"]) == {"billing", "shipping"}
