"""The smoke test: asks the endpoint and compares its answers with the expected ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.answers import Answer, Prediction
from shared.errors import FunctionError
from shared.storage import ObjectStore, Recorded, StorageError
from smoke_test.endpoint import Endpoint
from smoke_test.questions import CLEAR, Question, built_in, from_evidence

SCORE_TOLERANCE = 0.02
"""Allowed difference of two scores due to rounding, as a share of the expected score (of 1 where that is smaller)."""

CONFIDENCE_TOLERANCE = 0.05
"""Allowed difference of two confidences due to rounding."""


class PackageUnreadableError(FunctionError):
    """The model package cannot be looked up."""


@dataclass(frozen=True)
class Package:
    """A model package."""

    version: str
    """Its version, as the endpoint reports it."""
    evidence_uri: str
    """S3 URI of its answers to the test sentences; "" where it has none."""
    model_data: str
    """S3 URI of its archive."""
    noted: Mapping[str, str]
    """What the gate recorded of the evidence; packages of earlier versions lack version and digest."""

    @property
    def sentences_uri(self) -> str:
        """S3 URI of the test sentences, which lie beside the folder of each artifact's answers."""
        return f"{self.evidence_uri.rsplit('/', 2)[0]}/sentences.jsonl"


class WrongAnswersError(FunctionError):
    """The endpoint answered otherwise than it should: `problems` has a text for each wrong answer."""

    def __init__(self, problems: list[str], asked: int) -> None:
        super().__init__(f"{len(problems)} of {asked} sentences were answered wrongly; the first: {problems[0]}")
        self.problems = problems


def smoke_test(event: Mapping[str, Any], registry: Any, s3: Any, endpoint: Endpoint) -> dict[str, Any]:
    """Check that the endpoint serves the event's `model_package_arn` as it was judged, with boto3 clients.

    Returns how many sentences were `asked` and `compared` with evidence, and the `version` that answered. Raises
    FunctionError: WrongAnswersError, EndpointUnusableError, or what prevented the test.
    """
    package = describe(registry, str(event.get("model_package_arn", "")))
    questions = choose(package, s3)
    answers = [(question, endpoint.ask(question.body)) for question in questions]
    if problems := [found for question, answer in answers if (found := problem(question, answer, package.version))]:
        raise WrongAnswersError(problems, len(questions))
    compared = sum(question.expected is not None for question in questions)
    return {"asked": len(questions), "compared": compared, "version": package.version}


def describe(registry: Any, arn: str) -> Package:
    """Look a package up with a boto3 SageMaker client; raise PackageUnreadableError."""
    try:
        found = registry.describe_model_package(ModelPackageName=arn)
    except (ClientError, BotoCoreError) as error:
        raise PackageUnreadableError(f"model package {arn} cannot be read: {error}.") from error
    noted = found.get("CustomerMetadataProperties", {})
    evidence = noted.get("evidence", "")
    return Package(
        version=arn.rpartition("/")[2],
        evidence_uri=evidence if evidence.startswith("s3://") else "",
        model_data=found["InferenceSpecification"]["Containers"][0]["ModelDataUrl"],
        noted=noted,
    )


def choose(package: Package, s3: Any) -> list[Question]:
    """Return questions from the package's evidence, or built-in ones where the evidence does not exist."""
    if not package.evidence_uri:
        return built_in()
    try:
        store, noted = ObjectStore(s3), package.noted
        version, sha256 = noted.get("evidence_version", ""), noted.get("evidence_sha256", "")
        answers = store.read_recorded({"uri": package.evidence_uri, "version": version, "sha256": sha256})
        asked: Recorded = {"uri": package.sentences_uri, "version": "", "sha256": noted.get("test_sha256", "")}
        sentences = store.read_recorded(asked)
    except StorageError as error:
        # A rollback to an old package has to work after its evidence was deleted.
        if error.missing:
            return built_in()
        raise
    return from_evidence(sentences, answers, package.evidence_uri)


def problem(question: Question, answer: Answer, version: str) -> str:
    """Return what is wrong with an answer of the package's version `version`, or "" for a right one."""
    if answer.version != version:
        return f'"{question.text}" was answered by version {answer.version}, not by {version}'
    given, expected = answer.predictions[0], question.expected
    if expected is None or _alike(given, expected):
        return ""
    return f'"{question.text}" was answered {_shown(given)}; when the model was judged it was {_shown(expected)}'


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
