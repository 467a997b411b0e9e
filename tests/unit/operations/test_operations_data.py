"""Labelled data of one's own: what is read, uploaded, left where it is, removed and refused."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from classifier.data.dataset import LabelledData, load_data
from ingest.collect import collect_bundled
from local_project import BUNDLED_DATA
from operations import command_line
from operations.__main__ import main
from operations.aws import data
from operations.aws.deployment import Deployment
from operations.aws.registry import Package
from operations.errors import OperationError
from operations.verbs.model import training

UPLOADED = datetime(2026, 11, 27, 12, tzinfo=UTC)
LABELS = ("billing", "shipping", "technical")
ROWS = [(f"message number {number} about {label} matters", label) for number in range(40) for label in LABELS]


class FakeBucket:
    """S3 with one bucket, as far as an upload needs it."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = dict(objects)
        self.put: list[str] = []

    def get_paginator(self, _: str) -> FakeBucket:
        return self

    def paginate(self, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        found = [
            {"Key": key, "ETag": f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'}
            for key, content in self.objects.items()
            if key.startswith(Prefix)
        ]
        yield {"Contents": found} if found else {}

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:
        self.objects[Key] = Body
        self.put.append(Key)

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        return {"LastModified": UPLOADED} if Key in self.objects else {}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}

    def delete_object(self, Bucket: str, Key: str) -> None:
        del self.objects[Key]


class FakeDeployment(Deployment):
    """A deployment whose data lies in a fake bucket."""

    bucket = FakeBucket()

    def client(self, service: str) -> Any:
        assert service == "s3"
        return self.bucket

    def output(self, name: str) -> str:
        return name


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What commands write lies in folders of the test, and no variable of make reaches them."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("operations.paths.SCRATCH", tmp_path / "scratch")
    monkeypatch.setattr("operations.paths.LOCAL", tmp_path / "local")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for name in ("DATA", "HYPERPARAMETERS", "ARGS", "ENV", "INPUT", "DATA_SOURCE", "TRAINING_JOB", "APPROVAL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    """A file as people have them: three classes, separated by semicolons."""
    file = tmp_path / "tickets.csv"
    file.write_text("\n".join(["message;team", *(f"{text};{label}" for text, label in ROWS)]) + "\n")
    return file


def deployment(**objects: bytes) -> FakeDeployment:
    """A deployment with these objects in its data bucket; `__` in a name stands for a slash."""
    made = FakeDeployment("local", boto3.Session(region_name="us-east-1"), None)
    bucket = FakeBucket(**{key.replace("__", "/"): content for key, content in objects.items()})
    object.__setattr__(made, "bucket", bucket)
    return made


def json_lines(**columns: Any) -> bytes:
    """One row as a line."""
    return (json.dumps(columns) + "\n").encode()


def test_data_shows_how_a_file_is_read(tickets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without any cloud: exit status 0, rows, classes and columns."""
    assert main(["data", str(tickets)]) == 0
    shown = capsys.readouterr().out
    assert "120 rows" in shown and "3 classes billing 40 shipping 40 technical 40" in shown
    assert "text column message, label column team" in shown


def test_data_as_json_is_the_manifest(tickets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A script gets everything that was found out."""
    assert main(["data", str(tickets), "--json"]) == 0
    manifest = json.loads(capsys.readouterr().out)
    assert manifest["labels"] == list(LABELS)
    assert sum(split["rows"] for split in manifest["splits"].values()) == len(ROWS)


def test_data_takes_the_file_and_the_settings_of_make(
    tickets: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """DATA= and HYPERPARAMETERS= work as on the command line."""
    monkeypatch.setenv("DATA", str(tickets))
    monkeypatch.setenv("HYPERPARAMETERS", "test_fraction=0.5")
    assert main(["data"]) == 0
    assert "test: 60 of these rows held out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["missing.csv"], "There is no file or folder missing.csv."),
        (["{tickets}", "--hyperparameter", "label_column=squad"], "squad"),
        (["{tickets}", "--hyperparameter", "labelcolumn=team"], "labelcolumn"),
        (["{tickets}", "--hyperparameter", "test_fraction=2"], "test_fraction"),
        (["{tickets}", "--hyperparameter", "delimiter=abc"], "The delimiter 'abc' cannot be used."),
        (["{tickets}", "--hyperparameter", "encoding=nonsense"], "The encoding 'nonsense' cannot be used."),
    ],
)
def test_data_refuses_with_one_line_and_a_next_step(
    words: list[str], expected: str, tickets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 1, what is wrong, what to do; neither a traceback nor a customer's text."""
    assert main(["data", *(word.format(tickets=tickets) for word in words)]) == 1
    said = capsys.readouterr().err
    assert expected in said and "Traceback" not in said and "message number" not in said


@pytest.mark.parametrize("verb", ["data", "up"])
def test_data_that_is_refused_ends_before_anything_is_deployed(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file with one class ends `make up` too, before the local cloud is looked for."""
    file = tmp_path / "one_class.csv"
    file.write_text("\n".join(["message,team", *(f"text {number},billing" for number in range(50))]))
    monkeypatch.setenv("DATA", str(file))
    deployed = "operations.verbs.machine.local_cloud._deployed"
    monkeypatch.setattr(deployed, lambda *_: pytest.fail("something was deployed"))
    assert main([verb]) == 1
    assert "Traceback" not in capsys.readouterr().err


def read(place: Path, **settings: str) -> LabelledData:
    return data.read(place, settings)


def test_canonical_files_and_their_manifest_are_uploaded(tickets: Path, tmp_path: Path) -> None:
    """What lies in the bucket reads back as the same data, from a fresh folder."""
    made, labelled = deployment(), read(tickets)
    assert data.upload(made, labelled)
    assert set(made.bucket.objects) == {"source/train.jsonl", "source/test.jsonl", "source/manifest.json"}
    copy = tmp_path / "copy"
    copy.mkdir()
    for key, content in made.bucket.objects.items():
        (copy / key.removeprefix("source/")).write_bytes(content)
    again = load_data(copy, None)
    assert (again.label_names, again.data_sha256) == (labelled.label_names, labelled.data_sha256)


def test_the_same_data_is_not_uploaded_again(tickets: Path) -> None:
    """Nothing is sent, and the answer says so."""
    made = deployment()
    data.upload(made, read(tickets))
    made.bucket.put.clear()
    assert not data.upload(made, read(tickets))
    assert made.bucket.put == []


def test_only_what_changed_is_uploaded(tickets: Path) -> None:
    """Another reading of the same file sends the files that it changes."""
    made = deployment()
    data.upload(made, read(tickets, test_fraction="0.1"))
    made.bucket.put.clear()
    assert data.upload(made, read(tickets, test_fraction="0.1", label_names="billing=Bills"))
    assert "source/manifest.json" in made.bucket.put
    del made.bucket.objects["source/test.jsonl"]
    made.bucket.put.clear()
    data.upload(made, read(tickets, test_fraction="0.1", label_names="billing=Bills"))
    assert made.bucket.put == ["source/test.jsonl"]


def test_files_of_other_names_are_removed_and_named(tickets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They would be read too. Folders' own keys, and what lies elsewhere, stay."""
    made = deployment(source__train__data_csv=b"x", source__old=b"y", source__=b"", datasets__a=b"z")
    assert data.upload(made, read(tickets))
    assert {"source/", "datasets/a"} < set(made.bucket.objects)
    assert not {"source/old", "source/train/data_csv"} & set(made.bucket.objects)
    assert "old" in capsys.readouterr().out


def test_data_without_a_test_part_leaves_no_old_test_file(tickets: Path) -> None:
    """The test rows of another data set would be judged by."""
    made = deployment()
    data.upload(made, read(tickets))
    data.upload(made, read(tickets, test_fraction="0"))
    assert set(made.bucket.objects) == {"source/train.jsonl", "source/manifest.json"}


def hash_at_ingest(source: Path, scratch: Path) -> str:
    folder, copy = source, scratch / "collected"
    copy.mkdir()
    if source.is_file():
        folder = scratch / "alone"
        folder.mkdir()
        (folder / source.name).write_bytes(source.read_bytes())
    return collect_bundled(copy, folder).data_sha256


def test_what_an_earlier_version_uploaded_is_not_new(tmp_path: Path) -> None:
    """train.json and test.json become canonical files; the model that was trained on them serves on."""
    folder = tmp_path / "helpful"
    folder.mkdir()
    for name, count in (("train.json", 60), ("test.json", 20)):
        rows = (json_lines(sentence=f"{name} sentence {number}", helpful=number % 21 / 10) for number in range(count))
        (folder / name).write_bytes(b"".join(rows))
    made = deployment()
    made.bucket.objects = {f"source/{file.name}": file.read_bytes() for file in folder.iterdir()}
    learned = hash_at_ingest(folder, tmp_path)
    data.upload(made, read(folder))
    champion = Package("arn", 1, "Approved", UPLOADED - timedelta(hours=1), "", {"data_sha256": learned})
    assert not data.is_untrained(made, folder, read(folder), champion)
    assert "source/train.json" not in made.bucket.objects and "source/train.jsonl" in made.bucket.objects


def test_canonical_files_of_another_data_set_are_new(tickets: Path, tmp_path: Path) -> None:
    """A folder with a manifest does not hold the file that it was made from."""
    folder = tmp_path / "canonical"
    read(tickets).write(folder)
    assert data.upload(deployment(), read(folder))


@pytest.mark.parametrize("known_as", ["canonical", "original", "other"])
@pytest.mark.parametrize("hours", [-1, 1])
def test_data_whose_training_failed_is_trained_on_again(
    known_as: str, hours: int, tickets: Path, tmp_path: Path
) -> None:
    """It was uploaded after the champion was registered, and the champion learned other data; hashes are ingest's."""
    made, labelled = deployment(), read(tickets)
    data.upload(made, labelled)
    folder = tmp_path / "canonical"
    labelled.write(folder)
    source = {"canonical": folder, "original": tickets, "other": BUNDLED_DATA}[known_as]
    learned = hash_at_ingest(source, tmp_path)
    registered = UPLOADED + timedelta(hours=hours)
    champion = Package("arn", 1, "Approved", registered, "", {"data_sha256": learned})
    assert data.is_untrained(made, tickets, labelled, champion) == (known_as == "other" and hours < 0)


@pytest.mark.parametrize(("fraction", "test_files"), [("0.2", {"test.jsonl", "ingest.json"}), ("0", {"ingest.json"})])
def test_channels_of_a_job_are_never_empty(tickets: Path, fraction: str, test_files: set[str]) -> None:
    """SageMaker refuses a channel without a file; one without data means that there is no test part."""
    made = deployment()
    data.upload(made, read(tickets, test_fraction=fraction), "datasets/terminal/", channels=True)
    assert {key.rpartition("/")[2] for key in made.bucket.objects if "/test/" in key} == test_files
    names = {key.rpartition("/")[2] for key in made.bucket.objects if "/train/" in key}
    assert names == {"train.jsonl", "manifest.json"}


def test_settings_of_the_reading_travel_with_the_data_alone() -> None:
    """They are not hyperparameters of the job any more; seed and objective are both."""
    given = {"label_column": "v1", "encoding": "cp1252", "test_fraction": "0.1", "epochs": "3", "seed": "7"}
    assert data.without_reading(given) == {"epochs": "3", "seed": "7"}


def train_arguments(*words: str) -> argparse.Namespace:
    return command_line.parse(["train", *words])


def test_train_uploads_its_data_first(tickets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make train DATA=…`: the execution's input holds what is about training alone."""
    made, inputs = deployment(), []
    monkeypatch.setattr(training, "connect", lambda env: made)
    monkeypatch.setattr(training, "train_and_release", lambda deployment, overrides: inputs.append(overrides) or {})
    pairs = ("--hyperparameter", "label_column=team", "--hyperparameter", "epochs=2")
    arguments = train_arguments("--data", str(tickets), *pairs)
    arguments.run(arguments)
    assert inputs == [{"hyperparameters": {"epochs": "2"}}]
    assert "source/train.jsonl" in made.bucket.objects


@pytest.mark.parametrize("other", [["--data-source", "s3://b/x.csv"], ["--training-job", "a-job"]])
def test_train_refuses_two_sources_of_data(other: list[str], tickets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is uploaded."""
    made = deployment()
    monkeypatch.setattr(training, "connect", lambda env: made)
    arguments = train_arguments("--data", str(tickets), *other)
    with pytest.raises(OperationError, match="two sources of data"):
        arguments.run(arguments)
    assert not made.bucket.objects
