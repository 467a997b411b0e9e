"""A decision as the registry holds it, within the registry's limits."""

from __future__ import annotations

import json
import re

import pytest

from gate.decision.decision import Approval, Decision, decide
from gate.decision.registry_entry import MAX_SUMMARY, metadata, numbers, summary
from gate.evidence.answers import Answer, Answers
from gate.evidence.evidence import Evidence
from gate.evidence.job_output import JobOutput, Row
from gate.statistics.verdict import Thresholds

GATE = Thresholds(0.8, 0.8, 0.0275)
ALLOWED = re.compile(r"[A-Za-z0-9 _.:/=+@-]{1,256}")


def decided(wrong: int, *, champion_wrong: int | None = None, approval: Approval = "auto") -> Decision:
    """400 rows, the first of them answered wrongly; the champion errs on the last."""
    rows = [Row("word " * (1 + place % 7), int(place % 5 < 3), family=f"f{place % 3}") for place in range(400)]

    def answers(errs: range) -> Answers:
        given = [
            Answer(1 - int(place % 5 < 3) if place in errs else int(place % 5 < 3), 0.5)
            for place, row in enumerate(rows)
        ]
        return Answers(given)

    champion = Answers() if champion_wrong is None else answers(range(400 - champion_wrong, 400))
    version = None if champion_wrong is None else "7"
    output = JobOutput(tuple(rows))
    evidence = Evidence(output=output, challenger=answers(range(wrong)), champion=champion, champion_version=version)
    return decide(evidence, GATE, approval)


def unanswered(problem: str) -> Decision:
    """The challenger could not answer."""
    return decide(Evidence(output=JobOutput(), challenger=Answers(problem=problem)), GATE, "auto")


def entry(decision: Decision) -> dict[str, str]:
    hashes = {"test_sha256": "ab", "rows_sha256": "cd"}
    return metadata(
        decision, evidence={"uri": "s3://a/b.out", "version": "v1", "sha256": "feed"}, report="s3://r", **hashes
    )


def test_a_pass_is_summed_up_in_its_figures() -> None:
    """The status comes first, then accuracy, F1 and the comparison."""
    text = summary(decided(20, champion_wrong=20))
    assert text.startswith("Approved: the gate passed it. 400 test rows: accuracy 0.9500 (95 % interval 0.9")
    assert "compared with version 7: +0.0000 (95 % interval -0.0" in text and "allowed -0.0435" in text


def test_a_refusal_says_why_first() -> None:
    """The failed rules come before the figures."""
    text = summary(decided(200))
    assert text.startswith("Rejected: the gate refused it. Accuracy 0.500: the lower end")
    assert text.index("not above the floor") < text.index("400 test rows:")


@pytest.mark.parametrize("problem", ["x" * 5000, "a\nb\r\n\tc", "ünï↯ " * 400])
def test_a_summary_is_one_line_of_at_most_a_thousand_characters(problem: str) -> None:
    """The registry's description allows no more, and the console shows one line."""
    text = summary(unanswered(problem))
    assert len(text) <= MAX_SUMMARY and text == " ".join(text.split())


@pytest.mark.parametrize(
    "decision",
    [decided(20), decided(200, champion_wrong=1), unanswered("↯" * 900 + "\n\"{}'")],
    ids=["passed", "refused", "no answer"],
)
def test_metadata_is_what_the_registry_allows(decision: Decision) -> None:
    """Other characters become an underscore, long values are cut, nothing is empty."""
    assert all(ALLOWED.fullmatch(value) for value in entry(decision).values())


def test_metadata_of_a_comparison_is_complete() -> None:
    """Every key that the release workflow and the listing read."""
    keys = {
        "verdict",
        "accuracy",
        "accuracy_low",
        "accuracy_high",
        "f1",
        "f1_low",
        "f1_high",
        "difference",
        "difference_low",
        "margin",
        "compared_with",
        "test_rows",
        "test_sha256",
        "rows_sha256",
        "evidence",
        "evidence_version",
        "evidence_sha256",
        "report",
        "gate_reasons",
    }
    values = entry(decided(20, champion_wrong=20))
    assert set(values) == keys
    assert (values["verdict"], values["compared_with"], values["accuracy"]) == ("passed", "7", "0.9500")


def test_the_reasons_in_the_metadata_are_the_checks_that_decided() -> None:
    """They are short; of a refusal only the failed checks are given."""
    assert entry(decided(20))["gate_reasons"].startswith("accuracy floor 0.9")
    refused = entry(decided(200))["gate_reasons"]
    assert refused.startswith("accuracy floor 0.4") and " not above 0.7856 - commonest label" in refused


def test_without_answers_there_is_no_evidence_to_name() -> None:
    """The smoke test then asks sentences of its own."""
    values = entry(unanswered("it broke"))
    assert "evidence" not in values and values["verdict"] == "refused" and values["compared_with"] == "none"


def test_numbers_are_json() -> None:
    """With and without a comparison, and with nothing measured."""
    for decision in (decided(20), decided(20, champion_wrong=30)):
        assert json.loads(json.dumps(numbers(decision), allow_nan=False))["rows"] == 400
    assert numbers(decide(Evidence(output=JobOutput()), GATE, "auto")) == {"rows": 0}
