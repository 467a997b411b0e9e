"""The checker of histories finds each kind of contradiction, and none in a history that is right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from history import Answer, Change, History, Message, Package, Stream, switches

EVIDENCE = {"1": {"good": ("yes", 0.9)}, "2": {"good": ("yes", 0.7)}}
RELEASED = Package("Approved", "released", "")


def answer(began: float, version: str | None, took: float = 0.5) -> Answer:
    """An answer of this version, with its evidence; None: none came."""
    if version is None:
        return Answer(began, began + took, 503, "good")
    return Answer(began, began + took, 200, "good", version, EVIDENCE[version]["good"])


def history(*answers: Answer, changes: list[Change] | None = None) -> History:
    """A history in which version 1 serves, and version 2 is approved and, unless told, released from 10 to 20."""
    released = [Change(10, 20, "2", 1, "2")] if changes is None else changes
    return History("1", EVIDENCE, Stream(list(answers)), released, [], {"2"}, {"2": RELEASED})


def test_a_release_without_a_contradiction() -> None:
    """Answers of both versions may overlap, failures may come between, and the messages are true."""
    right = history(answer(1, "1"), answer(12, "1", 3), answer(13, "2"), answer(16, None), answer(30, "2"))
    right.messages = [Message(0.5, 1.2, "status", "1"), Message(15, 17, "status", None), Message(29, 31, "end", "2")]
    assert right.violations() == []


@pytest.mark.parametrize(
    ("answers", "changes", "told"),
    [
        ([answer(1, "1"), answer(2, "2")], [], "version 2 answered 1 times while no release ran"),
        ([answer(21, "1")], None, "version 1 answered 1 times while no release ran and 2 was the champion"),
        ([answer(12, "1"), answer(13, "2"), answer(14, "1")], None, "changed at least 2 times"),
        ([answer(12, "2"), answer(14, "1"), answer(16, "2")], None, "changed at least 2 times"),
        ([answer(12, "1"), answer(14, "2")], [Change(10, 20, "3", 1, "3")], "version 2 answered during a release"),
        (
            [answer(12, "1"), answer(13, "2"), answer(14, "1"), answer(15, "2")],
            [Change(10, 20, "2", 2, "1")],
            "changed at least 3 times",
        ),
        ([answer(19.8, "2"), answer(21, "2")], [Change(10, 20, "2", 2, "1")], "while no release ran and 1 was"),
    ],
)
def test_two_champions_are_found(answers: list[Answer], changes: list[Change] | None, told: str) -> None:
    """An answer of a version that cannot have been the champion then is named."""
    (found,) = history(*answers, changes=changes).violations()
    assert told in found


def test_a_failed_release_may_switch_to_the_challenger_and_back() -> None:
    """The challenger answers until the smoke test; two releases at once may switch once each."""
    back = [Change(10, 20, "2", 2, "1")]
    assert not history(answer(12, "1"), answer(13, "2"), answer(14, "1"), answer(30, "1"), changes=back).violations()
    both = [Change(10, 20, "2", 1, "2"), Change(11, 30, "1", 1, "1")]
    assert not history(answer(9, "1"), answer(15, "2"), answer(25, "1"), answer(31, "1"), changes=both).violations()


def test_switches_are_counted_at_the_least() -> None:
    """Overlapping answers can be put in an order that needs fewer switches; others can't."""
    assert switches([]) == switches([answer(1, "1")]) == 0
    assert switches([answer(1, "1", 5), answer(2, "2", 5), answer(3, "1", 5)]) == 0
    assert switches([answer(1, "1"), answer(2, "2"), answer(2.2, "1", 4), answer(5, "2")]) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        Answer(1, 2, 200, "good", "1", ("no", 0.9)),
        Answer(1, 2, 200, "good", "1", EVIDENCE["2"]["good"]),
        Answer(1, 2, 200, "never judged", "1", ("yes", 0.9)),
        Answer(1, 2, 200, "good", None, ("yes", 0.9)),
    ],
)
def test_an_answer_that_is_not_of_the_evidence_is_found(wrong: Answer) -> None:
    """Another label or probability, those of another version, or a sentence without evidence."""
    found = history(wrong, changes=[]).violations()
    assert any("judged was" in line for line in found)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (Message(11, 12, "status", "2"), "status says that version 2 answers; callers got 2 x 200 of 1"),
        (Message(11, 12, "status", None), "status says that nothing answers"),
        (Message(39, 41, "the workflow", "2"), "the workflow says that version 2 answers; callers got 1 x 503"),
    ],
)
def test_a_message_that_contradicts_the_answers_is_found(message: Message, told: str) -> None:
    """A version that did not answer then, and nothing where everything was answered."""
    seen = history(answer(10.5, "1"), answer(11, "1"), answer(40, None))
    seen.messages = [message]
    (found,) = seen.violations()
    assert told in found


def test_nothing_answers_while_a_model_restarts() -> None:
    """The callers waited for it, and a question without patience got no answer: both are right."""
    seen = history(answer(8, "1"), answer(10, "1", 3), changes=[])
    seen.messages = [Message(11, 12, "status", None)]
    assert seen.violations() == []


@pytest.mark.parametrize(
    ("package", "told"),
    [
        (None, "is not listed"),
        (Package("PendingManualApproval", "", ""), "pending again"),
        (Package("Rejected", "failed", ""), "nobody says why"),
        (Package("Approved", "", ""), "nobody says why"),
    ],
)
def test_a_lost_approval_is_found(package: Package | None, told: str) -> None:
    """An approved version that is gone, pending again, or neither released nor refused with a reason."""
    lost = history()
    lost.packages = {"2": package} if package else {}
    (found,) = lost.violations()
    assert told in found


@pytest.mark.parametrize("package", [RELEASED, Package("Rejected", "failed", "why"), Package("Approved", "", "why")])
def test_an_approval_that_was_dealt_with_is_not_lost(package: Package) -> None:
    """Released, refused with a reason, or approved and the end of its release says why not."""
    assert replace(history(), packages={"2": package}).violations() == []


def test_what_a_caller_notices_is_measured() -> None:
    """Statuses, the longest time without an answer, and how long after a moment the last failure came."""
    stream = Stream([answer(1, "1"), answer(2, None), answer(3, None), answer(6, "2")])
    assert stream.statuses == {200: 2, 503: 2}
    assert (stream.longest_gap, stream.recovered_after(2), stream.recovered_after(9)) == (5.0, 1.5, 0.0)
    assert (Stream([answer(1, "1")]).longest_gap, Stream().longest_gap) == (0.0, 0.0)
