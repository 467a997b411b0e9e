"""`make publish`: what is checked before anything is sent, and what it shows."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from fake_hub import TOKEN, FakeHub, Repository, running_hub
from local.sagemaker.state.archives import pack
from operations import command_line
from operations.__main__ import main
from operations.errors import OperationError
from operations.verbs.model import publish as verb
from sample_evaluation import GATE, sample_evaluation

GROUP = "arn:aws:sagemaker:us-east-1:111122223333:model-package/group"


class FakeDeployment:
    """An environment whose registry has one package, and its archive in a bucket."""

    env = "dev"
    variables: ClassVar = {}

    def __init__(self, archive: bytes) -> None:
        self.status, self.archive = "Approved", archive
        self.address = f"s3://bucket/models/{hashlib.sha256(archive).hexdigest()}/model.tar.gz"

    def output(self, name: str) -> str:
        return "group"

    def client(self, service: str) -> Any:
        return self

    def get_paginator(self, operation: str) -> Any:
        return self

    def paginate(self, **asked: str) -> Any:
        return [{"ModelPackageSummaryList": [{"ModelPackageArn": f"{GROUP}/3"}]}]

    def describe_model_package(self, **asked: str) -> dict[str, Any]:
        return {
            "ModelPackageArn": f"{GROUP}/3",
            "ModelPackageVersion": 3,
            "CreationTime": datetime.now(),
            "ModelApprovalStatus": self.status,
            "ApprovalDescription": "too bad",
            "CustomerMetadataProperties": GATE,
            "InferenceSpecification": {"Containers": [{"ModelDataUrl": self.address, "Image": "image"}]},
        }

    def download_file(self, bucket: str, key: str, path: str) -> None:
        assert self.address == f"s3://{bucket}/{key}"
        Path(path).write_bytes(self.archive)


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDeployment:
    """The environment that the command connects to."""
    folder = tmp_path / "model"
    (folder / "code").mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "README.md", "code/inference.py", "test_rows.jsonl"):
        (folder / name).write_text(f"of {name}")
    (folder / "evaluation.json").write_text(json.dumps(sample_evaluation("no", "yes")))
    pack(folder, tmp_path / "model.tar.gz")
    made = FakeDeployment((tmp_path / "model.tar.gz").read_bytes())
    monkeypatch.setattr(verb, "connect", lambda env: made)
    return made


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """The Hub that the command asks, which knows the base model."""
    with running_hub(monkeypatch) as running:
        base = b"---\nlicense: mit\nlanguage: en\n---\n"
        running.repositories["maker/base"] = Repository(private=False, files={"README.md": base})
        yield running


def parsed(*words: str) -> argparse.Namespace:
    """The arguments of a publication."""
    return command_line.parse(["publish", "3", "--env", "dev", "--repo", "owner/name", *words])


def refused(server: FakeHub, *words: str) -> OperationError:
    """The error of one that sends nothing."""
    with pytest.raises(OperationError) as caught:
        verb.publish(parsed(*words))
    assert server.changes == []
    return caught.value


def test_a_package_is_published_with_the_gates_figures(deployment: FakeDeployment, server: FakeHub) -> None:
    """Without what stays here; the document says where, what and who, and the card is the published one."""
    answer = verb.publish(parsed())
    made = server.repositories["owner/name"]
    assert made.files.keys() == {"config.json", "model.safetensors", "README.md"} and made.private
    document = json.loads(json.dumps(answer.document))
    assert document["card"].encode() == made.files["README.md"] and "0.9000 (0.8100–0.9500)" in document["card"]
    digest = hashlib.sha256(deployment.archive).hexdigest()
    assert f"model version 3, archive {digest}." in document["card"]
    assert document["account"] == "owner" and document["files"]["model.safetensors"] == len("of model.safetensors")
    assert document["published"] == f"{server.url}/owner/name/commit/{made.newest}"
    assert answer.text == f"Published: {document['published']}"


def test_a_dry_run_shows_all_and_sends_nothing(
    deployment: FakeDeployment, server: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """Card, files with sizes, what goes, the target and whose token it is; never the token."""
    files = {"README.md": b'---\nlabels: ["no", "yes"]\n---\n', "old.bin": b"x"}
    server.repositories["owner/name"] = there = Repository(private=True, files=files)
    answer = verb.publish(parsed("--dry-run"))
    assert answer.text == "Published: nothing was sent" and answer.document["published"] is None
    said = capsys.readouterr().out
    for part in ("license: ", '"model.safetensors": 20', '"old.bin"', there.newest):
        assert part in said
    assert '"account": "owner"' in said and TOKEN not in said
    assert server.changes == [] and there.files == files


def test_what_is_not_approved_is_refused_unless_stated(deployment: FakeDeployment, server: FakeHub) -> None:
    """Before anybody is asked; the reason is the registry's."""
    deployment.status = "Rejected"
    error = refused(server)
    assert error.message == "Version 3 is not approved. Rejected: too bad" and "--unapproved" in error.hint
    assert server.asked == []
    verb.publish(parsed("--unapproved"))


def test_another_archive_than_the_judged_one_is_refused(deployment: FakeDeployment, server: FakeHub) -> None:
    """Its bytes are compared with the digest in the address that the registry holds; so is an address without one."""
    deployment.archive += b"x"
    assert "is not the archive that was judged" in refused(server).message
    deployment.address = "s3://bucket/training/job/output/model.tar.gz"
    assert "Nothing tells what was judged" in refused(server).message


def test_licence_and_language_have_to_be_known(deployment: FakeDeployment, server: FakeHub) -> None:
    """From the base model's card, or stated; none is made up."""
    server.repositories["maker/base"] = Repository(private=False, files={"README.md": b"---\nlanguage: en\n---\n"})
    error = refused(server)
    assert error.message == "No card states its license." and "LICENSE=" in error.hint
    verb.publish(parsed("--license", "apache-2.0"))
    assert b'\nlicense: "apache-2.0"\n' in server.repositories["owner/name"].files["README.md"]


def test_a_refusal_of_the_hub_ends_the_command_with_a_next_step(
    deployment: FakeDeployment,
    server: FakeHub,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Exit status 1 and no stack trace, as for every expected error."""
    monkeypatch.setattr("operations.paths.SCRATCH", tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    server.refusals["whoami"] = 401
    assert main(["publish", "3", "--env", "dev", "--repo", "owner/name"]) == 1
    said = capsys.readouterr().err
    assert "Error: The Hub does not accept the token" in said and "Next step: Give a valid token" in said


@pytest.mark.parametrize(("value", "on"), [("", False), ("0", False), ("1", True)])
def test_a_switch_of_make_is_on_or_off(value: str, on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a variable of make."""
    monkeypatch.setenv("PUBLIC", value)
    assert parsed().public == on


@pytest.mark.parametrize("value", ["yes", "no", "on", "2"])
def test_a_switch_that_is_neither_is_not_guessed(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is published because somebody wrote DRY_RUN=on."""
    monkeypatch.setenv("DRY_RUN", value)
    with pytest.raises(OperationError, match=f"DRY_RUN={value} is not allowed"):
        parsed()
