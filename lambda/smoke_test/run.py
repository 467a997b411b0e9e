"""The smoke test: asks the endpoint and compares its answers with the expected ones."""

from collections.abc import Mapping
from typing import Any

from shared.answers import Answer, Prediction
from shared.champion import Artifact, ModelPackage, describe_package
from shared.errors import FunctionError
from shared.storage import ObjectStore, StorageError
from smoke_test.endpoint import Endpoint
from smoke_test.questions import CLEAR, Question, built_in, from_evidence

SCORE_TOLERANCE = 0.02
"""Allowed difference of two scores due to rounding, as a share of the expected score (of 1 where that is smaller)."""

CONFIDENCE_TOLERANCE = 0.05
"""Allowed difference of two confidences due to rounding."""


class WrongAnswersError(FunctionError):
    """The endpoint answered otherwise than it should."""


def smoke_test(event: Mapping[str, Any], registry: Any, s3: Any, endpoint: Endpoint) -> dict[str, Any]:
    """Check that the endpoint serves the event's `model_package_arn` as it was judged, with boto3 clients.

    Returns how many sentences were `asked` and `compared` with evidence, and the `version` that answered. Raises
    FunctionError: WrongAnswersError, EndpointUnusableError, or what prevented the test.
    """
    package, _ = describe(registry, str(event.get("model_package_arn", "")))
    questions = choose(package, s3)
    answers = [(question, endpoint.ask(question.body)) for question in questions]
    if problems := [found for question, answer in answers if (found := problem(question, answer, package.version))]:
        wrong = f"{len(problems)} of {len(questions)} sentences were answered wrongly"
        raise WrongAnswersError(f"{wrong}; the first: {problems[0]}")
    compared = sum(question.expected is not None for question in questions)
    return {"asked": len(questions), "compared": compared, "version": package.version}


def describe(registry: Any, arn: str) -> tuple[ModelPackage, Artifact]:
    """Look a package and its artifact up with a boto3 SageMaker client; raise FunctionError."""
    package = describe_package(registry, arn)
    if package.artifact is None:
        raise FunctionError(f"{package.problem}.")
    return package, package.artifact


def choose(package: ModelPackage, s3: Any) -> list[Question]:
    """Return questions from the package's evidence, or built-in ones where the evidence does not exist."""
    store, evidence = ObjectStore(s3), package.evidence
    if evidence is None:
        return built_in()
    # The test sentences lie beside the folder of each artifact's answers.
    asked = f"{evidence['uri'].rsplit('/', 2)[0]}/sentences.jsonl"
    try:
        answers = store.read_recorded(evidence)
        sentences = store.read_recorded({"uri": asked, "version": "", "sha256": package.test_sha256 or ""})
    except StorageError as error:
        # A rollback to an old package has to work after its evidence was deleted.
        if error.missing:
            return built_in()
        raise
    return from_evidence(sentences, answers, evidence["uri"])


def problem(question: Question, answer: Answer, version: str) -> str:
    """Return what is wrong with an answer of the package's version `version`, or "" for a right one."""
    if answer.version != version:
        return f"{question.name} was answered by version {answer.version}, not by {version}"
    given, expected = answer.predictions[0], question.expected
    if expected is None or _alike(given, expected):
        return ""
    return f"{question.name} was answered {_shown(given)}; when the model was judged it was {_shown(expected)}"


def _alike(given: Prediction, expected: Prediction) -> bool:
    if (given.labels is None) != (expected.labels is None) or (given.score is None) != (expected.score is None):
        return False
    if given.labels is None:
        # Of many classes none may be clear, and rounding may swap two of them.
        if given.label != expected.label and expected.confidence > CLEAR:
            return False
    elif len({*given.given} ^ {*expected.given}) > 1:  # the probability of one label may be next to its threshold
        return False
    if abs(given.confidence - expected.confidence) > CONFIDENCE_TOLERANCE:
        return False
    if given.score is None or expected.score is None:
        return True
    return abs(given.score - expected.score) <= SCORE_TOLERANCE * max(1.0, abs(expected.score))


def _shown(prediction: Prediction) -> str:
    score = "" if prediction.score is None else f", score {prediction.score:.3f}"
    labels = "" if prediction.labels is None else f"[{', '.join(prediction.labels)}] of which most probable "
    return f"{labels}{prediction.label} ({prediction.confidence:.3f}{score})"
