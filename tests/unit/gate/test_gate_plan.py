"""The plan function, which finds out whose answers are missing."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from shared.errors import EvidenceError, MisconfiguredError
from shared.storage import StorageError

if TYPE_CHECKING:
    from conftest import World


def test_a_first_model_is_asked_alone(world: World) -> None:
    """Nothing is stored and nothing serves yet, so only the challenger has to answer."""
    plan = world.plan()
    assert (plan["rows"], plan["champion"], plan["problem"]) == (400, None, None)
    (item,) = plan["to_score"]
    assert item["who"] == "challenger"
    assert (item["image"], item["model_data"]) == ("image:1", "s3://artifacts/new/model.tar.gz")
    assert item["environment"] == {"HF_TASK": "text-classification"}
    assert item["input_uri"] == plan["sentences_uri"]
    assert plan["challenger"]["evidence_uri"] == f"{item['output_uri']}/sentences.jsonl.out"


def test_the_sentences_are_stored_under_their_hash(world: World) -> None:
    """There is one line per row, in order; the hash is that of the file's bytes."""
    plan = world.plan()
    content = world.s3.objects[plan["sentences_uri"]]
    assert hashlib.sha256(content).hexdigest() == plan["test_sha256"]
    assert plan["sentences_uri"] == f"s3://artifacts/evidence/{plan['test_sha256']}/sentences.jsonl"
    assert [json.loads(line)["inputs"] for line in content.splitlines()] == [row["text"] for row in world.rows]


def test_other_labels_are_the_same_sentences(world: World) -> None:
    """Evidence is what a model answers to a text, so it does not depend on the true labels."""
    before = world.plan()["test_sha256"]
    world.rows = [{**row, "label": 0} for row in world.rows]
    world.put_output()
    assert world.plan()["test_sha256"] == before


def test_who_has_answered_is_not_asked_again(world: World) -> None:
    """Only a model without answers to these sentences is asked."""
    world.serve()
    plan = world.plan()
    assert [item["who"] for item in plan["to_score"]] == ["challenger", "champion"]
    world.answer(plan["champion"]["evidence_uri"], world.labels)
    assert [item["who"] for item in world.plan()["to_score"]] == ["challenger"]
    world.answer(plan["challenger"]["evidence_uri"], world.labels)
    assert world.plan()["to_score"] == []


def test_incomplete_answers_are_asked_for_again(world: World) -> None:
    """A file with too few lines does not count."""
    plan = world.plan()
    world.answer(plan["challenger"]["evidence_uri"], world.labels[:-1])
    assert [item["who"] for item in world.plan()["to_score"]] == ["challenger"]


def test_the_champion_judged_again_answers_once(world: World) -> None:
    """Both sides are the same artifact and share one file of answers."""
    world.serve(model_data="s3://artifacts/new/model.tar.gz")
    plan = world.plan()
    assert [item["who"] for item in plan["to_score"]] == ["challenger"]
    assert plan["champion"]["evidence_uri"] == plan["challenger"]["evidence_uri"]


def test_other_content_at_the_same_address_is_asked_anew(world: World) -> None:
    """An artifact that replaced another one cannot use the answers of the former."""
    before = world.plan()["challenger"]["evidence_uri"]
    world.answer(before, world.labels)
    world.s3.objects["s3://artifacts/new/model.tar.gz"] = b"something else"
    plan = world.plan()
    assert plan["challenger"]["evidence_uri"] != before
    assert [item["who"] for item in plan["to_score"]] == ["challenger"]


def test_a_champion_whose_model_data_is_gone_cannot_be_scored(world: World) -> None:
    """The plan says why, and the judge leaves the decision to a person."""
    world.serve()
    del world.s3.objects["s3://artifacts/old/model.tar.gz"]
    plan = world.plan()
    assert plan["champion"]["evidence_uri"] is None
    assert "s3://artifacts/old/model.tar.gz" in plan["champion"]["problem"]


def test_names_are_allowed_and_differ(world: World) -> None:
    """At most 63 characters, also with the longest prefix that the configuration allows."""
    world.serve()
    world.environment["PREFIX"] = "p" * 32
    names = [item[key] for item in world.plan()["to_score"] for key in ("model_name", "transform_job_name")]
    assert max(len(name) for name in names) <= 63 and len(set(names)) == 2
    assert names[0].startswith("p" * 32 + "-evidence-") and names[0].endswith("-abc123")


def test_a_champion_that_cannot_be_described_is_planned_with_its_problem(world: World, package: str) -> None:
    """It is not asked, and the plan names it with its problem."""
    world.serve()
    world.sagemaker.containers.clear()
    plan = world.plan()
    assert [item["who"] for item in plan["to_score"]] == ["challenger"]
    assert (plan["champion"]["package_arn"], plan["champion"]["version"]) == (package, "7")
    assert plan["champion"]["evidence_uri"] is None and "does not exist" in plan["champion"]["problem"]


@pytest.mark.parametrize("files", [{"test_rows__jsonl": None}, {"test_rows__jsonl": b""}, None])
def test_a_job_without_test_rows_has_nothing_to_ask(world: World, files: dict[str, bytes | None] | None) -> None:
    """The file is missing or empty, or there is no output at all."""
    world.serve()
    if files is None:
        world.s3.objects.clear()
    else:
        world.put_output(**files)
    plan = world.plan()
    assert (plan["rows"], plan["to_score"], plan["sentences_uri"], plan["test_sha256"]) == (0, [], None, None)
    assert plan["problem"] and plan["champion"]["version"] == "7"


def test_broken_test_rows_end_the_run(world: World) -> None:
    """The error names the archive, the file and the line."""
    world.put_output(test_rows__jsonl=b'{"text": "a", "label": 1}\n{"text": "b"}\n')
    with pytest.raises(EvidenceError, match=r"output.tar.gz: test_rows.jsonl, line 2: label is null"):
        world.plan()


def test_every_error_says_what_failed(world: World) -> None:
    """Step Functions shows the error's class and message."""
    world.s3.denied.add("s3://artifacts/training/job-1/output/output.tar.gz")
    with pytest.raises(StorageError, match="AccessDenied"):
        world.plan()
    world.environment.pop("PREFIX")
    with pytest.raises(MisconfiguredError, match="PREFIX"):
        world.plan()


def test_the_plan_is_json(world: World) -> None:
    """Lambda has to return it."""
    world.serve()
    plan = world.plan()
    assert json.loads(json.dumps(plan)) == plan
