"""The smoke test: asks the endpoint and compares its answers with the expected ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smoke_test.comparison import problem
from smoke_test.endpoint import Endpoint
from smoke_test.errors import EvidenceUnreadableError, WrongAnswersError
from smoke_test.package import Package, describe, read_object
from smoke_test.questions import Question, built_in, from_evidence


def smoke_test(event: Mapping[str, Any], registry: Any, s3: Any, endpoint: Endpoint) -> dict[str, Any]:
    """Check that the endpoint serves a package as it was judged.

    Args:
        event: `model_package_arn`: the package that should answer.
        registry: A boto3 SageMaker client.
        s3: A boto3 S3 client.
        endpoint: The endpoint to ask.

    Returns:
        How many sentences were `asked` and `compared` with evidence, and the `version` that answered.

    Raises:
        FunctionError: WrongAnswersError, EndpointUnusableError, or what prevented the test.
    """
    package = describe(registry, str(event.get("model_package_arn", "")))
    questions = choose(package, s3)
    answers = [(question, endpoint.ask(question.body)) for question in questions]
    if problems := [found for question, answer in answers if (found := problem(question, answer, package.version))]:
        raise WrongAnswersError(problems, len(questions))
    compared = sum(question.expected is not None for question in questions)
    return {"asked": len(questions), "compared": compared, "version": package.version}


def choose(package: Package, s3: Any) -> list[Question]:
    """Return questions from the package's evidence, or built-in ones where the evidence does not exist."""
    if not package.evidence_uri:
        return built_in()
    try:
        answers, sentences = (read_object(s3, uri) for uri in (package.evidence_uri, package.sentences_uri))
    except EvidenceUnreadableError as error:
        # A rollback to an old package has to work after its evidence was deleted.
        if error.missing:
            return built_in()
        raise
    return from_evidence(sentences, answers, package.evidence_uri)
