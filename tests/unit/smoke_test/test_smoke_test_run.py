"""The smoke test: what is asked, and when the answers count as those of the package."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from shared.errors import EvidenceError, FunctionError, MisconfiguredError
from smoke_test import handler
from smoke_test.endpoint import Endpoint
from smoke_test.run import WrongAnswersError, smoke_test
from smoke_test_fakes import ARN, FOLDER, FakeRegistry, FakeRuntime, FakeStore, answer, client_error, sentence

TEXTS = [f"sentence {number}" for number in range(200)]
CONTEXT = SimpleNamespace(
    function_name="smoke-test", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="request"
)
OUT, SENTENCES = f"{FOLDER}/0123/sentences.jsonl.out", f"{FOLDER}/sentences.jsonl"


def evidence(*answers: bytes) -> dict[str, bytes | Exception]:
    """Sentences and what was answered to them (by default the same to all); the version wasn't known yet."""
    given = list(answers) or [answer(version=None)] * len(TEXTS)
    return {
        OUT: b"".join(line + b"\n" for line in given),
        SENTENCES: b"".join(sentence(text) + b"\n" for text in TEXTS[: len(given)]),
    }


def ask(
    respond: Callable[[str], bytes | Exception] = lambda _: answer(),
    objects: dict[str, bytes | Exception] | None = None,
    registry: FakeRegistry | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """What the test gives, and what was asked."""
    runtime = FakeRuntime(respond)
    store = FakeStore(evidence() if objects is None else objects)
    result = smoke_test(
        {"model_package_arn": ARN}, registry or FakeRegistry(), store, Endpoint("text-classifier-dev", runtime)
    )
    return result, runtime.asked


def test_asks_twenty_sentences_of_the_evidence() -> None:
    """Twenty sentences from all over the test set are asked, word for word."""
    result, asked = ask()
    assert result == {"asked": 20, "compared": 20, "version": "7"}
    assert asked == TEXTS[::10]


def test_small_evidence_is_asked_whole() -> None:
    """With fewer sentences than that, all are asked."""
    result, asked = ask(objects=evidence(*[answer(version=None)] * 3))
    assert result["asked"] == 3 and asked == TEXTS[:3]


def test_sentences_between_the_labels_are_left_out() -> None:
    """Where rounding decides on the label, nothing is asked."""
    lines = [answer(confidence=0.55 if number % 2 else 0.9, version=None) for number in range(40)]
    _, asked = ask(objects=evidence(*lines))
    assert asked == TEXTS[0:40:2]


def test_evidence_without_a_clear_answer_is_asked_all_the_same() -> None:
    """A model that is sure of nothing is compared with what it said."""
    lines = [answer(confidence=0.52, version=None)] * 5
    result, _ = ask(lambda _: answer(confidence=0.52), objects=evidence(*lines))
    assert result["asked"] == 5


@pytest.mark.parametrize(
    "given",
    [
        answer(confidence=0.9499),
        answer(confidence=0.8501),
        answer(score=1.5299),
        answer(score=1.4701),
    ],
)
def test_rounding_is_no_difference(given: bytes) -> None:
    """A confidence within 0.05 and a score within 2 % are the same answer."""
    assert ask(lambda _: given)[0]["compared"] == 20


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (answer(label="not helpful"), "not helpful"),
        (answer(confidence=0.96), "0.960"),
        (answer(confidence=0.84), "0.840"),
        (answer(score=1.54), "1.540"),
        (answer(score=None), "helpful"),
        (answer(version="6"), "by version 6, not by 7"),
        (answer(version=None), "by version None, not by 7"),
    ],
)
def test_other_answers_are_wrong(given: bytes, told: str) -> None:
    """Another label, confidence, score or version is a wrong answer, told with the sentence's number, not its text."""
    with pytest.raises(WrongAnswersError, match="20 of 20 sentences were answered wrongly") as caught:
        ask(lambda _: given)
    assert "first: sentence 1 was" in str(caught.value) and told in str(caught.value)


def test_a_model_of_many_classes_is_asked_what_it_is_most_sure_of() -> None:
    """Where fewer than twenty answers are clear, the twenty clearest are asked; rounding may swap unclear classes."""
    lines = [answer(f"class {number}", 0.3 + number / 1000, None, None) for number in range(77)]
    asked_for = dict(zip(TEXTS, lines, strict=False))
    result, asked = ask(lambda text: asked_for[text].replace(b'"version": null', b'"version": "7"'), evidence(*lines))
    assert (result["compared"], asked) == (20, TEXTS[57:77])
    assert ask(lambda _: answer("class 1", 0.37, None), evidence(*lines))[0]["compared"] == 20
    with pytest.raises(WrongAnswersError):
        ask(lambda _: answer("class 1", 0.9, None), evidence(*lines))


def test_several_labels_a_text_are_compared() -> None:
    """One label next to its threshold may come or go by rounding, two may not; none at all is an answer too."""

    def given(*labels: str, version: str | None = "7") -> bytes:
        return answer("joy", 0.9, None, version, list(labels))

    objects = evidence(*[given("joy", "love", version=None)] * 20)
    for labels in (("joy", "love"), ("love", "joy"), ("joy",), ("joy", "love", "pride")):
        assert ask(lambda _, labels=labels: given(*labels), objects)[0]["compared"] == 20
    with pytest.raises(WrongAnswersError, match=r"answered \[\] of which most probable joy"):
        ask(lambda _: given(), objects)
    with pytest.raises(WrongAnswersError):
        ask(lambda _: answer("joy", 0.9, None), objects)
    assert ask(lambda _: given(), evidence(*[given(version=None)] * 20))[0]["compared"] == 20


def test_one_wrong_answer_is_enough() -> None:
    """A single sentence answered otherwise fails the test."""
    with pytest.raises(WrongAnswersError, match=r"1 of 20 .*: sentence 151 was"):
        ask(lambda text: answer(label="not helpful" if text == "sentence 150" else "helpful"))


def test_model_without_scores_is_compared_by_confidence() -> None:
    """Where the package gave no scores, none is wanted."""
    objects = evidence(*[answer(score=None, version=None)] * 20)
    assert ask(lambda _: answer(score=None), objects)[0]["compared"] == 20


def test_long_sentence_is_shortened_in_the_message() -> None:
    """A message holds the beginning of a sentence, not all of it."""
    objects = {OUT: answer(version=None), SENTENCES: sentence("x" * 5000)}
    with pytest.raises(WrongAnswersError) as caught:
        ask(lambda _: answer(label="other"), objects)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("metadata", [{}, {"evidence": ""}, {"evidence": "none"}])
def test_package_without_evidence_is_asked_built_in_sentences(metadata: dict[str, str]) -> None:
    """Without evidence only form and version are checked."""
    result, asked = ask(lambda _: answer(label="anything"), {}, FakeRegistry(metadata))
    assert result == {"asked": len(asked), "compared": 0, "version": "7"} and asked
    with pytest.raises(WrongAnswersError, match="by version 6"):
        ask(lambda _: answer(version="6"), {}, FakeRegistry(metadata))


@pytest.mark.parametrize("missing", [OUT, SENTENCES])
def test_evidence_that_is_gone_does_not_stop_a_rollback(missing: str) -> None:
    """An old package whose evidence was cleaned away can still be released."""
    objects = evidence()
    del objects[missing]
    assert ask(objects=objects)[0]["compared"] == 0


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({OUT: client_error("AccessDenied", status=403)}, "AccessDenied"),
        ({OUT: answer() + b"\n"}, "1 answers to 200 sentences"),
        ({OUT: b"", SENTENCES: b""}, "0 answers"),
        ({OUT: b"{}\n" * 200}, "without predictions"),
    ],
)
def test_evidence_that_cannot_be_used_is_an_error(changed: dict[str, bytes | Exception], told: str) -> None:
    """Evidence that is there and can't be read, or doesn't fit the sentences, fails the test."""
    with pytest.raises(FunctionError, match=told):
        ask(objects={**evidence(), **changed})


@pytest.mark.parametrize("forged", [OUT, SENTENCES])
def test_forged_evidence_is_not_asked(forged: str) -> None:
    """Answers or sentences other than the recorded ones fail the test, though they fit each other."""
    objects = {uri: content for uri, content in evidence().items() if isinstance(content, bytes)}
    digests = {uri: hashlib.sha256(content).hexdigest() for uri, content in objects.items()}
    noted = FakeRegistry({"evidence": OUT, "evidence_sha256": digests[OUT], "test_sha256": digests[SENTENCES]})
    assert ask(objects={**objects}, registry=noted)[0]["compared"] == 20
    with pytest.raises(EvidenceError, match="is not what was recorded"):
        ask(objects={**objects, forged: objects[forged].replace(b"e", b"E", 1)}, registry=noted)


@pytest.mark.parametrize("event", [{}, {"model_package_arn": "arn:other"}])
def test_unknown_package_is_named(event: dict[str, str]) -> None:
    """A package that can't be looked up is told by its ARN."""
    endpoint = Endpoint("text-classifier-dev", FakeRuntime(lambda _: answer()))
    with pytest.raises(FunctionError, match="does not exist") as caught:
        smoke_test(event, FakeRegistry(), FakeStore({}), endpoint)
    assert f"model package {event.get('model_package_arn', '')} " in str(caught.value)


@pytest.mark.parametrize("changes", [{}, {"ENDPOINT_NAME": " "}])
def test_endpoint_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, changes: dict[str, str]) -> None:
    """ENDPOINT_NAME names the endpoint; where it is missing the handler says so."""
    monkeypatch.delenv("ENDPOINT_NAME", raising=False)
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(MisconfiguredError, match="ENDPOINT_NAME") as caught:
        handler.handler({}, CONTEXT)
    assert caught.value.variable == "ENDPOINT_NAME"


def test_handler_asks_the_endpoint_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the stack's variable set, the handler asks that endpoint and returns the result."""
    monkeypatch.setenv("ENDPOINT_NAME", "text-classifier-dev")
    clients = {"sagemaker": FakeRegistry(), "s3": FakeStore(evidence())}
    monkeypatch.setattr(handler, "client", clients.__getitem__)
    monkeypatch.setattr(handler, "make_runtime", lambda: FakeRuntime(lambda _: answer()))
    assert handler.handler({"model_package_arn": ARN}, CONTEXT) == {"asked": 20, "compared": 20, "version": "7"}
