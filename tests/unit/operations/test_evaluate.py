"""`make evaluate`: the released model's own test rows and labels, another file's, and what is refused."""

from __future__ import annotations

import argparse
import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from operations.__main__ import main
from operations.aws import registry
from operations.aws.deployment import Deployment
from operations.errors import OperationError
from operations.verbs.model import evaluate, predict
from text_classifier import Outcome, Prediction

LABELS = ("billing", "shipping", "technical")
ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package/g/3"
ADDRESS = "s3://artifacts/training/a-job/output/model.tar.gz"


class Api:
    """A client whose answers are looked up by the text."""

    url = "http://api"

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def score(self, text: str) -> Outcome:
        return next(self.score_all([text]))

    def score_all(self, texts: Iterable[str]) -> Iterator[Outcome]:
        for text in texts:
            answer = self._answers[text]
            given = None if isinstance(answer, str) else tuple(answer)
            label = answer if isinstance(answer, str) else next(iter(answer), LABELS[0])
            yield Prediction(label=label, confidence=0.9, score=None, truncated=False, model_version="3", labels=given)


class FakeDeployment(Deployment):
    """A deployment with a released model, the output of its training job, and answers of its API."""

    output_files: dict[str, bytes] = {}
    answers: dict[str, Any] = {}
    released: str = ARN

    def client(self, service: str) -> Any:
        return self

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:
        assert ModelPackageName == ARN
        return {"CustomerMetadataProperties": {"training_job": "a-job"} if self.output_files else {}}

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:
        assert TrainingJobName == "a-job"
        return {"ModelArtifacts": {"S3ModelArtifacts": ADDRESS}}

    class exceptions:  # noqa: N801
        """What a client of S3 has."""

        class NoSuchKey(Exception):
            """There is no such object."""

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        assert (Bucket, Key) == ("artifacts", "training/a-job/output/output.tar.gz")
        if "lost" in self.output_files:
            raise self.exceptions.NoSuchKey
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for name, content in self.output_files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return {"Body": io.BytesIO(packed.getvalue())}

    @property
    def released_package(self) -> str:
        return self.released

    def api_client(self) -> Any:
        return Api(self.answers)


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What commands write lies in folders of the test, and no variable of make reaches them."""
    monkeypatch.setattr("operations.paths.SCRATCH", tmp_path / "scratch")
    monkeypatch.setattr("operations.paths.LOCAL", tmp_path / "local")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for name in ("DATA", "HYPERPARAMETERS", "ARGS", "ENV", "TEXT"):
        monkeypatch.delenv(name, raising=False)


def released(
    monkeypatch: pytest.MonkeyPatch,
    rows: Sequence[dict[str, Any]],
    answers: dict[str, Any],
    *,
    objective: str = "classification",
    manifest: dict[str, Any] | None = None,
) -> None:
    """Deploy a model of these labels; `rows` are its own test rows."""
    made = FakeDeployment("local", boto3.Session(region_name="us-east-1"), None)
    files = {
        "evaluation.json": json.dumps({"labels": LABELS, "objective": objective}).encode(),
        "test_rows.jsonl": b"".join((json.dumps(row) + "\n").encode() for row in rows),
    }
    if manifest is not None:
        files["manifest.json"] = json.dumps(manifest).encode()
    object.__setattr__(made, "output_files", {f"./{name}": content for name, content in files.items()})
    object.__setattr__(made, "answers", answers)
    monkeypatch.setattr(evaluate, "connect", lambda env: made)


OWN = [{"text": f"own {number}", "label": number % 3} for number in range(30)]
RIGHT = {row["text"]: LABELS[int(str(row["label"]))] for row in OWN}


def figures(tmp_path: Path) -> dict[str, Any]:
    """What the command kept."""
    return dict(json.loads((tmp_path / "local" / "evaluation.json").read_text()))


def test_without_data_the_models_own_test_rows_are_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every figure by hand: 27 of 30 right, three rows of the first label taken for the second."""
    wrong = {"own 0": "shipping", "own 3": "shipping", "own 6": "shipping"}
    released(monkeypatch, OWN, {**RIGHT, **wrong})
    assert main(["evaluate"]) == 0
    found = figures(tmp_path)
    assert (found["rows"], found["accuracy"], found["model_versions"]) == (30, 0.9, ["3"])
    assert found["classes"]["billing"] == {"rows": 10, "precision": 1.0, "recall": 0.7, "f1": 0.8235}
    assert found["classes"]["shipping"] == {"rows": 10, "precision": 0.7692, "recall": 1.0, "f1": 0.8696}
    assert found["macro_f1"] == pytest.approx((14 / 17 + 20 / 23 + 1) / 3, abs=1e-4)
    assert found["confused"] == [{"truth": "billing", "answer": "shipping", "rows": 3}]
    shown = capsys.readouterr().out
    assert "0.9000" in shown and all(label in shown for label in LABELS)


@pytest.mark.parametrize("files", [{"lost": b""}, {"./test_rows.jsonl": b""}])
def test_a_job_without_output_is_explained(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    """No archive, or one without the evaluation: what is missing and the next step, not a question of rights."""
    released(monkeypatch, OWN, RIGHT)
    object.__setattr__(evaluate.connect(""), "output_files", files)
    assert main(["evaluate"]) == 1
    said = capsys.readouterr().err
    assert "Training job a-job left no output.tar.gz with evaluation.json" in said and "make train" in said


def test_all_right_is_not_certain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """30 of 30: the interval does not say that no row is ever wrong."""
    released(monkeypatch, OWN, RIGHT)
    assert main(["evaluate"]) == 0
    low, high = figures(tmp_path)["accuracy_95"]
    assert 0.85 < low < 0.95 and high == 1.0


def test_several_labels_a_text_are_right_as_a_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A row counts for the accuracy if exactly its labels are given, also where that is none."""
    rows = [
        {"text": "both", "labels": [0, 2]},
        {"text": "half", "labels": [0, 2]},
        {"text": "none", "labels": []},
        {"text": "too many", "labels": []},
    ]
    answers = {"both": ("technical", "billing"), "half": ("billing",), "none": (), "too many": ("shipping",)}
    released(monkeypatch, rows, answers, objective="multilabel")
    assert main(["evaluate"]) == 0
    found = figures(tmp_path)
    assert found["accuracy"] == 0.5
    assert found["micro_f1"] == pytest.approx(2 * 3 / (2 * 3 + 1 + 1), abs=1e-4)


@pytest.mark.parametrize(
    ("option", "status"),
    [("--minimum-accuracy=0.9", 0), ("--minimum-accuracy=0.91", 1), ("--minimum-f1=0.89", 0), ("--minimum-f1=0.9", 1)],
)
def test_a_minimum_decides_the_exit_status(option: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the accuracy and, for three labels, of the macro F1 (0.8977 here)."""
    released(monkeypatch, OWN, {**RIGHT, "own 0": "shipping", "own 3": "shipping", "own 6": "shipping"})
    assert main(["evaluate", option]) == status


def test_another_file_is_read_as_the_training_data_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its columns are those of the training, in any order; fewer labels than the model has are enough."""
    rows = [(f"new {number}", LABELS[1 + number % 2]) for number in range(24)]
    file = tmp_path / "newer.csv"
    lines = (f"{label};{number};a remark about nothing;{text}" for number, (text, label) in enumerate(rows))
    file.write_text("\n".join(["team;number;remark;message", *lines]))
    manifest = {"source": {"columns": {"text": "message", "label": "team", "score": None}, "settings": {}}}
    released(monkeypatch, OWN, {**dict(rows), "new 0": "billing"}, manifest=manifest)
    assert main(["evaluate", "--data", str(file)]) == 0
    found = figures(tmp_path)
    assert (found["rows"], found["data"]) == (24, str(file))
    assert found["accuracy"] == pytest.approx(23 / 24, abs=1e-4)
    assert found["classes"]["billing"]["rows"] == 0


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"encoding": "cp1252", "quote": "none", "test_fraction": 0.1, "label_separator": "|"},
            {"label_separator": "|"},
        ),
        ({"label_names": "negative,positive"}, {}),
        ({"label_names": "0=negative,1=positive"}, {"label_names": "0=negative,1=positive"}),
    ],
)
def test_what_belongs_to_a_file_is_not_taken_for_another(settings: dict[str, Any], expected: dict[str, str]) -> None:
    """A file has its own encoding, and another label at the same position."""
    source = {"columns": {"text": "message", "label": "team"}, "settings": settings}
    columns = {"text_column": "message", "label_column": "team"}
    assert evaluate._reading(source, {"objective": "classification"}) == columns | expected


def test_labels_that_the_model_does_not_have_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No question is asked and no figure printed; the next step is named."""
    file = tmp_path / "reviews.csv"
    file.write_text("\n".join(["text,label", *(f"review {n},{('good', 'bad')[n % 2]}" for n in range(40))]))
    released(monkeypatch, OWN, {})
    assert main(["evaluate", "--data", str(file)]) == 1
    said = capsys.readouterr()
    assert "good" in said.err and "billing" in said.err and "make train DATA=" in said.err
    assert "accuracy" not in said.out + said.err and not (tmp_path / "local" / "evaluation.json").exists()


def test_a_file_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """By its name."""
    released(monkeypatch, OWN, {})
    assert main(["evaluate", "--data", "nowhere.csv"]) == 1
    assert "nowhere.csv" in capsys.readouterr().err


def test_a_model_without_test_rows_asks_for_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was trained with test_fraction=0; nothing stands in for its test data."""
    released(monkeypatch, [], {})
    assert main(["evaluate"]) == 1
    assert "make evaluate DATA=" in capsys.readouterr().err


def test_a_label_of_another_model_is_no_wrong_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While a release is under way the other model may answer."""
    released(monkeypatch, OWN, {**RIGHT, "own 4": "helpful"})
    assert main(["evaluate"]) == 1
    assert "helpful" in capsys.readouterr().err


def waiting(monkeypatch: pytest.MonkeyPatch, released_package: str, *statuses: str) -> FakeDeployment:
    """A deployment with packages of these statuses, the oldest first."""
    made = FakeDeployment("local", boto3.Session(region_name="us-east-1"), None)
    object.__setattr__(made, "released", released_package)
    found = [
        registry.Package(f"{ARN[:-1]}{number}", number, status, datetime(2026, 1, number, tzinfo=UTC), "", {})
        for number, status in enumerate(statuses, 1)
    ]
    monkeypatch.setattr(registry, "packages", lambda deployment: found)
    return made


def test_a_package_that_names_no_training_job_is_refused_with_the_next_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person registered it in the console, so nobody knows its labels."""
    made = FakeDeployment("local", boto3.Session(region_name="us-east-1"), None)
    monkeypatch.setattr(evaluate, "connect", lambda env: made)
    assert main(["evaluate"]) == 1
    assert "make train TRAINING_JOB=name" in capsys.readouterr().err


def test_predict_does_not_wait_for_an_approval(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the newest version that waits, and the command that releases it."""
    made = waiting(monkeypatch, "", registry.PENDING, "Rejected", registry.PENDING, "Rejected")
    monkeypatch.setattr(predict, "connect", lambda env: made)
    with pytest.raises(OperationError) as caught:
        predict.predict(argparse.Namespace(env="local", text="own 1"))
    assert "version 3" in caught.value.message and "make approve PACKAGE=3" in caught.value.hint


@pytest.mark.parametrize(("champion", "statuses"), [(ARN, (registry.PENDING,)), ("", ("Rejected",)), ("", ())])
def test_predict_asks_where_no_approval_would_help(
    champion: str, statuses: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model serves, or none waits: the answer is the API's."""
    made = waiting(monkeypatch, champion, *statuses)
    object.__setattr__(made, "answers", RIGHT)
    monkeypatch.setattr(predict, "connect", lambda env: made)
    assert predict.predict(argparse.Namespace(env="local", text="own 1")).document["label"] == RIGHT["own 1"]


def test_a_file_of_one_class_gives_accuracy_and_recall(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other figures are left out, and it is said why; a least F1 that cannot be measured is not reached."""
    file = tmp_path / "one.csv"
    file.write_text("text,label\n" + "".join(f"message number {number},billing\n" for number in range(10)))
    answers = {f"message number {number}": "billing" if number else "shipping" for number in range(10)}
    released(monkeypatch, OWN, answers)
    assert main(["evaluate", "--data", str(file)]) == 0
    found = figures(tmp_path)
    assert (found["accuracy"], found["classes"]["billing"]["recall"]) == (0.9, 0.9)
    assert found["f1"] is found["macro_f1"] is found["classes"]["billing"]["precision"] is None
    assert "All rows are of one class" in capsys.readouterr().out
    assert main(["evaluate", "--data", str(file), "--minimum-f1", "0.1"]) == 1
