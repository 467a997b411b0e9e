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
    assert item["evidence_uri"] == f"{item['output_uri']}/sentences.jsonl.out"


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


def test_each_execution_has_its_own_answers(world: World) -> None:
    """What lies in the evidence folder of another execution is never taken for this one's answers."""
    first, second = (world.plan(execution=name)["to_score"][0]["evidence_uri"] for name in ("run-1", "run-2"))
    assert first != second and first.split("/")[-2].endswith("-run-1")
    world.s3.objects[first] = world.s3.objects[second] = b"forged"
    assert [item["who"] for item in world.plan()["to_score"]] == ["challenger"]


def test_address_of_answers_is_the_runs_own_and_one_that_the_registry_holds(world: World) -> None:
    """Names that only differ late, and signs that the registry refuses, lead to one address that it keeps as it is."""
    from gate.decision.registry_entry import clean

    first, second = (world.plan(token=token, execution="weekly (№ 1)" * 9)["to_score"][0] for token in ("a", "b"))
    assert first["evidence_uri"] != second["evidence_uri"]
    assert clean(first["evidence_uri"]) == first["evidence_uri"]


def test_a_long_name_of_an_execution_leaves_room_in_the_registry(world: World) -> None:
    """The registry holds 256 characters; a bucket's name has 63, an execution's 80."""
    world.environment["ARTIFACTS_BUCKET"] = "b" * 63
    assert len(world.plan(execution="e" * 80)["to_score"][0]["evidence_uri"]) <= 256


def champions_evidence(world: World, **changes: str) -> dict[str, str]:
    """Make a champion whose package names its recorded answers; return them."""
    world.serve()
    evidence = {"evidence": "s3://artifacts/evidence/cafe/out", "evidence_version": "v1", "evidence_sha256": "feed"}
    world.sagemaker.metadata = {**evidence, "test_sha256": str(world.plan()["test_sha256"]), **changes}
    return {"uri": evidence["evidence"], "version": "v1", "sha256": "feed"}


def test_champions_recorded_answers_are_taken(world: World) -> None:
    """A champion whose package names its answers to these sentences, their version and digest, is not asked again."""
    recorded = champions_evidence(world)
    plan = world.plan()
    assert [item["who"] for item in plan["to_score"]] == ["challenger"]
    assert plan["champion"]["evidence"] == recorded


@pytest.mark.parametrize("changes", [{"test_sha256": "other"}, None], ids=["other sentences", "an earlier version"])
def test_champion_without_such_answers_is_asked(world: World, changes: dict[str, str] | None) -> None:
    """Answers to other sentences, or answers that nobody recorded, don't count."""
    champions_evidence(world, **(changes or {}))
    if changes is None:
        del world.sagemaker.metadata["evidence_sha256"]
    plan = world.plan()
    assert [item["who"] for item in plan["to_score"]] == ["challenger", "champion"]
    assert plan["champion"]["evidence"] is None


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
    assert plan["champion"]["evidence"] is None and "does not exist" in plan["champion"]["problem"]


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
