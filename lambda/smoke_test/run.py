"""The smoke test itself: which questions, asked of the endpoint, compared with what should come back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from smoke_test.answers import Answer
from smoke_test.comparison import problem
from smoke_test.errors import EvidenceUnreadable, WrongAnswers
from smoke_test.package import Package, describe, read_object
from smoke_test.questions import Question, built_in, from_evidence


class Asked(Protocol):
    """Whatever answers questions."""

    def ask(self, body: bytes) -> Answer:
        """The answer to one request."""
        ...


def smoke_test(event: Mapping[str, Any], registry: Any, store: Any, endpoint: Asked) -> dict[str, Any]:
    """Ask the endpoint whether it serves a package as it was judged.

    Args:
        event: ``model_package_arn``: the package that should answer.
        registry: a boto3 SageMaker client.
        store: a boto3 S3 client.
        endpoint: what is asked.

    Returns:
        ``asked`` sentences, how many of them were ``compared`` with evidence, and the ``version`` that answered.

    Raises:
        SmokeTestError: WrongAnswers, EndpointUnusable, or what kept the test from being made.
    """
    package = describe(registry, str(event.get("model_package_arn", "")))
    questions = choose(package, store)
    problems = [
        found for question in questions if (found := problem(question, endpoint.ask(question.body), package.version))
    ]
    if problems:
        raise WrongAnswers(problems, len(questions))
    compared = sum(question.expected is not None for question in questions)
    return {"asked": len(questions), "compared": compared, "version": package.version}


def choose(package: Package, store: Any) -> list[Question]:
    """The package's own evidence; built-in sentences where it has none, or none any more."""
    if not package.evidence_uri:
        return built_in()
    try:
        answers, sentences = (read_object(store, uri) for uri in (package.evidence_uri, package.sentences_uri))
    except EvidenceUnreadable as error:
        # Going back to an old package has to work after its evidence was cleaned away.
        if error.missing:
            return built_in()
        raise
    return from_evidence(sentences, answers, package.evidence_uri)
