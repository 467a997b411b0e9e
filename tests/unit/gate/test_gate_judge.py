"""The judge function, from the evidence and the mode of approval to status and files."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from distribution.features import CONFIDENCE
from shared.errors import EvidenceError

if TYPE_CHECKING:
    from conftest import World

FOLDER = "s3://artifacts/training/job-1/evaluation/abc123/"


def test_a_good_first_model_is_approved(world: World) -> None:
    """No model serves, and the floors are cleared."""
    verdict = world.scored(world.wrong(40))
    assert (verdict["status"], verdict["passed"]) == ("Approved", True)
    assert verdict["metadata"]["compared_with"] == "none"
    assert verdict["numbers"]["accuracy"]["value"] == 0.9


def test_a_challenger_as_good_as_the_champion_is_approved(world: World) -> None:
    """It makes other mistakes, but as many."""
    verdict = world.scored(world.wrong(8), world.wrong(8, start=30))
    assert (verdict["status"], verdict["metadata"]["compared_with"]) == ("Approved", "7")
    assert verdict["numbers"]["difference"]["value"] == 0.0


def test_a_worse_challenger_is_rejected(world: World) -> None:
    """It clears the floors and loses the comparison."""
    verdict = world.scored(world.wrong(40), world.wrong(4))
    assert (verdict["status"], verdict["passed"]) == ("Rejected", False)
    assert "Accuracy differs from the champion's by -0.0900" in verdict["summary"]


@pytest.mark.parametrize("champion", [True, False])
def test_a_model_of_shuffled_labels_is_rejected(world: World, champion: bool) -> None:
    """Its answers do not depend on the texts; it is rejected with and without a champion."""
    shuffled = random.Random(3).sample(world.labels, len(world.labels))
    verdict = world.scored(shuffled, world.labels if champion else None)
    assert verdict["status"] == "Rejected"
    assert "floor" in verdict["summary"]


def test_always_the_commonest_label_is_rejected(world: World) -> None:
    """It is rejected even with floors that it clears."""
    verdict = world.scored([1] * 400, gate={"min_accuracy": 0.0, "min_f1": 0.0, "margin": 0.5})
    assert verdict["status"] == "Rejected"
    assert "commonest label" in verdict["summary"]


@pytest.mark.parametrize(
    ("approval", "good", "bad"),
    [
        ("auto", "Approved", "Rejected"),
        ("manual", "PendingManualApproval", "PendingManualApproval"),
        ("never", "Rejected", "Rejected"),
    ],
)
def test_the_mode_decides_what_becomes_of_a_verdict(world: World, approval: str, good: str, bad: str) -> None:
    """The outcome is the same in every mode, and it is recorded."""
    passed = world.scored(world.wrong(20), approval=approval)
    refused = world.scored(world.wrong(200), approval=approval)
    assert (passed["status"], refused["status"]) == (good, bad)
    assert (passed["passed"], refused["passed"]) == (True, False)
    assert (passed["metadata"]["verdict"], refused["metadata"]["verdict"]) == ("passed", "refused")
    assert approval == "auto" or f"Approval mode {approval}" in passed["summary"]


@pytest.mark.parametrize("approval", ["auto", "manual", "never"])
def test_an_artifact_that_cannot_answer_is_rejected_in_every_mode(world: World, approval: str) -> None:
    """The summary gives the transform job's reason."""
    scores = [{"who": "challenger", "error": "onnx/model_int8.onnx is missing", "asked": True}]
    verdict = world.judge(world.plan(), approval=approval, scores=scores)
    assert (verdict["status"], verdict["passed"]) == ("Rejected", False)
    assert "could not answer the test sentences: onnx/model_int8.onnx is missing." in verdict["summary"]
    assert verdict["numbers"] == {"rows": 0}


@pytest.mark.parametrize(("approval", "status"), [("auto", "PendingManualApproval"), ("never", "Rejected")])
def test_an_artifact_that_was_not_asked_is_left_to_a_person(world: World, approval: str, status: str) -> None:
    """A quota or a missing permission says nothing about the model; the reason says what to do."""
    scores = [{"who": "challenger", "error": "the account-level service limit is 0 Instances", "asked": False}]
    verdict = world.judge(world.plan(), approval=approval, scores=scores)
    assert (verdict["status"], verdict["passed"]) == (status, False)
    assert "could not be asked" in verdict["summary"] and "limit is 0 Instances" in verdict["summary"]


def test_a_job_with_test_sentences_of_its_own_is_left_to_a_person(world: World) -> None:
    """A job started elsewhere is approved automatically only on the same rows that the champion was judged on."""
    world.serve()
    plan = world.plan()
    for who in ("challenger", "champion"):
        world.answer(plan, who, world.labels)
    assert world.judge(plan, mode="judge")["status"] == "PendingManualApproval"
    assert world.judge(plan, mode="train")["status"] == "Approved"
    known = world.judge(plan)["metadata"]["rows_sha256"]
    plan["champion"]["rows_sha256"] = known
    assert world.judge(plan, mode="judge")["status"] == "Approved"


@pytest.mark.parametrize("content", [None, b"", b"<html>\n" * 400])
def test_unusable_answers_are_no_answers(world: World, content: bytes | None) -> None:
    """Without answers, with too few, or with something else, the artifact could not answer."""
    plan = world.plan()
    if content is not None:
        world.s3.objects[plan["to_score"][0]["evidence_uri"]] = content
    verdict = world.judge(plan, approval="manual")
    assert verdict["status"] == "Rejected"
    assert plan["to_score"][0]["evidence_uri"] in verdict["summary"]


def test_a_champion_of_other_data_is_told_by_its_label(world: World) -> None:
    """Somebody trains on another file: the reason is the labels, not a line of a file of answers."""
    world.serve()
    plan = world.plan()
    world.answer(plan, "challenger", world.labels)
    world.answer(plan, "champion", world.labels)
    uri = world.recorded(plan, "champion")["uri"]
    world.s3.objects[uri] = world.s3.objects[uri].replace(b"not helpful", b"refund")
    summary = world.judge(plan)["summary"]
    assert 'could not be compared: it answers "refund", which is none of the data\'s 2 labels' in summary
    assert uri not in summary


@pytest.mark.parametrize(
    ("approval", "status"),
    [("auto", "PendingManualApproval"), ("manual", "PendingManualApproval"), ("never", "Rejected")],
)
def test_a_champion_that_cannot_answer_leaves_it_to_a_person(world: World, approval: str, status: str) -> None:
    """A good challenger is not approved without the comparison."""
    world.serve()
    plan = world.plan()
    world.answer(plan, "challenger", world.wrong(4))
    scores = [{"who": "champion", "error": "the image is gone"}]
    verdict = world.judge(plan, approval=approval, scores=scores)
    assert (verdict["status"], verdict["passed"], verdict["metadata"]["verdict"]) == (status, False, "undecided")
    assert "version 7, could not be compared: the image is gone." in verdict["summary"]


def test_a_challenger_below_the_floor_needs_no_comparison(world: World) -> None:
    """It is rejected, whatever the champion would have answered."""
    world.serve()
    world.sagemaker.containers.clear()
    plan = world.plan()
    world.answer(plan, "challenger", world.wrong(150))
    assert world.judge(plan)["status"] == "Rejected"


@pytest.mark.parametrize(
    ("approval", "status"),
    [("auto", "PendingManualApproval"), ("manual", "PendingManualApproval"), ("never", "Rejected")],
)
def test_without_test_rows_a_person_decides(world: World, approval: str, status: str) -> None:
    """Nothing can be measured, and nothing is approved."""
    world.serve()
    world.put_output(test_rows__jsonl=None)
    verdict = world.judge(world.plan(), approval=approval)
    assert (verdict["status"], verdict["passed"], verdict["metadata"]["verdict"]) == (status, False, "undecided")
    assert "no test data" in verdict["summary"]


def test_a_slice_alone_can_refuse(world: World) -> None:
    """The challenger is better on the whole and clearly worse on one family."""
    spoiled = [place for place, row in enumerate(world.rows) if row["family"] == "f0"][:12]
    fixed = [place for place, row in enumerate(world.rows) if row["family"] == "f1"][:20]
    challenger = [1 - label if place in spoiled else label for place, label in enumerate(world.labels)]
    champion = [1 - label if place in fixed else label for place, label in enumerate(world.labels)]
    verdict = world.scored(challenger, champion)
    assert verdict["status"] == "Rejected"
    assert "family: f0 (100 rows)" in verdict["summary"] and verdict["numbers"]["slices_worse"] == 1


def test_the_files_lie_beside_the_artifact(world: World) -> None:
    """Report and statistics are where the package's links point."""
    verdict = world.scored(world.wrong(20), world.wrong(20))
    assert verdict["report_uri"] == verdict["metadata"]["report"] == f"{FOLDER}report.html"
    assert verdict["statistics_uri"] == f"{FOLDER}verdict.json"
    assert world.s3.types[f"{FOLDER}report.html"].startswith("text/html")
    assert b"job-1" in world.s3.objects[f"{FOLDER}report.html"]


def test_the_baseline_counts_what_was_answered(world: World) -> None:
    """Labels have the data's names, and every row is in one bin of each feature."""
    verdict = world.scored(world.wrong(20))
    assert verdict["baseline_uri"] == f"{FOLDER}baseline.json"
    baseline = json.loads(world.s3.objects[verdict["baseline_uri"]])
    assert baseline["label"] == {"helpful": sum(world.wrong(20)), "not helpful": 400 - sum(world.wrong(20))}
    assert baseline["rows"] == sum(baseline["confidence"]) == sum(baseline["length"]) == 400
    assert baseline["confidence"] == CONFIDENCE.count([0.9] * 400)


def test_without_answers_the_baseline_is_of_no_rows(world: World) -> None:
    """The file exists nevertheless, because the package refers to it."""
    verdict = world.judge(world.plan())
    assert json.loads(world.s3.objects[verdict["baseline_uri"]])["rows"] == 0


def statistics(world: World) -> dict[str, Any]:
    return json.loads(world.s3.objects[f"{FOLDER}verdict.json"])


def test_the_statistics_hold_figures_and_verdict(world: World) -> None:
    """The file has the form of SageMaker's model quality statistics, with a section of the gate."""
    world.scored(world.wrong(20), world.wrong(20))
    found = statistics(world)
    metrics = found["binary_classification_metrics"]
    assert metrics["accuracy"]["value"] == 0.95 and metrics["f1"]["standard_deviation"] > 0
    matrix = metrics["confusion_matrix"]
    assert sum(matrix["0"].values()) + sum(matrix["1"].values()) == found["dataset"]["item_count"] == 400
    assert found["gate"]["outcome"] == "passed" and found["gate"]["compared_with"] == "7"
    assert found["gate"]["comparison"]["champion"]["accuracy"]["value"] == 0.95
    assert found["model"]["objective"] == "classification" and found["model"]["score_threshold"] is None
    assert [one["label"] for one in found["model"]["labels"]] == ["not helpful", "helpful"]
    assert sum(one["test_rows"] for one in found["model"]["labels"]) == 400
    assert found["model"]["labels"][1]["recall"]["value"] == metrics["recall"]["value"]
    assert len(found["gate"]["comparison"]["slices"]) == 10


def test_a_failure_without_words_is_a_failure(world: World) -> None:
    """An empty error says that the model did not answer, and null that it did."""
    plan = world.plan()
    world.answer(plan, "challenger", world.labels)
    refused = world.judge(plan, scores=[{"who": "challenger", "error": ""}])
    assert refused["status"] == "Rejected" and "no reason was given" in refused["summary"]
    assert world.judge(plan)["status"] == "Approved"


def test_forged_answers_are_no_evidence(world: World) -> None:
    """Answers that were written over after the job don't count: not a challenger's better, not a champion's worse."""
    world.serve()
    plan = world.plan()
    world.answer(plan, "challenger", world.wrong(20))
    world.answer(plan, "champion", world.labels)
    given = [{"who": who, "error": None, "evidence": world.recorded(plan, who)} for who in ("challenger", "champion")]
    world.answer(plan, "champion", world.wrong(350))
    forged = world.judge(plan, scores=given)
    assert forged["status"] == "PendingManualApproval" and "is not what was recorded" in forged["summary"]
    world.answer(plan, "challenger", world.labels)
    forged = world.judge(plan, scores=given)
    assert forged["status"] == "Rejected" and "is not what was recorded" in forged["summary"]


def test_replaced_test_rows_end_the_run(world: World) -> None:
    """Other true labels in the job's output, written while the models answered, are no verdict but an error."""
    plan = world.plan()
    world.answer(plan, "challenger", world.labels)
    world.rows = [{**row, "label": 1 - int(str(row["label"]))} for row in world.rows]
    world.put_output()
    with pytest.raises(EvidenceError, match=r"output\.tar\.gz: has other test rows"):
        world.judge(plan)


def test_package_records_what_its_model_answered(world: World) -> None:
    """Address and digest of the answers go into the registry, for the smoke test and the next comparison."""
    plan = world.plan()
    world.answer(plan, "challenger", world.labels)
    noted, recorded = world.judge(plan)["metadata"], world.recorded(plan, "challenger")
    assert (noted["evidence"], noted["evidence_sha256"]) == (recorded["uri"], recorded["sha256"])


def test_the_statistics_of_no_answer_say_so(world: World) -> None:
    """The file has no metrics then."""
    world.judge(world.plan(), scores=[{"who": "challenger", "error": "broken"}])
    assert "binary_classification_metrics" not in statistics(world)
    assert statistics(world)["gate"]["outcome"] == "refused"


def test_the_same_evidence_gives_the_same_verdict(world: World) -> None:
    """Every interval is a formula, so the result can be reproduced."""
    first = world.scored(world.wrong(20), world.wrong(25, start=10))
    assert world.scored(world.wrong(20), world.wrong(25, start=10)) == first
    assert json.loads(json.dumps(first, allow_nan=False)) == first


def test_trials_of_a_tuning_job_are_kept_beside_the_verdict(world: World) -> None:
    """verdict.json and the report list every trial; without a tuning job there is none to list."""
    trial = {"job": "job-1", "values": {"epochs": "3"}, "objective": 0.87, "status": "Completed", "seconds": 9}
    tuning = {"job": "tuning-1", "metric": "tuning_objective", "values": {"epochs": "3"}, "trials": [trial]}
    world.scored(world.labels, tuning=tuning)
    assert json.loads(world.s3.objects[f"{FOLDER}verdict.json"])["gate"]["tuning"] == tuning
    assert "job-1 (judged)" in world.s3.objects[f"{FOLDER}report.html"].decode()
    world.scored(world.labels)
    assert json.loads(world.s3.objects[f"{FOLDER}verdict.json"])["gate"]["tuning"] is None
