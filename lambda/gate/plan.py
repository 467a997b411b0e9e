"""Entry point of the plan function: which answers to the test sentences are missing, and who gives them."""

from __future__ import annotations

import functools
import os
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from gate.artifact import Artifact
from gate.champion import Champion, find_champion
from gate.errors import GateError, StorageError
from gate.evidence import count_lines, sentences_file, sha256
from gate.job_output import read_job_output
from gate.payloads import PlannedChampion, PlanRequest
from gate.settings import Settings
from gate.store import ObjectStore

SENTENCES = "sentences.jsonl"
ANSWERS = f"{SENTENCES}.out"  # batch transform names its output so

logger = Logger()


@functools.cache
def _client(service: str) -> Any:
    """One client for all calls of a warm function."""
    return boto3.client(service)


def run(
    event: Any, environment: Mapping[str, str], *, s3: Any, cloudformation: Any, sagemaker: Any, token: str
) -> dict[str, Any]:
    """Does the step with the given environment variables and boto3 clients.

    Args:
        event: payload, see ``PlanRequest``.
        environment: of the function.
        s3: client.
        cloudformation: client.
        sagemaker: client.
        token: six hexadecimal digits that keep the names of two runs apart.

    Returns:
        ``test_sha256``, ``rows``, ``sentences_uri``, ``champion``, ``challenger``, ``to_score``, ``problem``,
        ``token``.

    Raises:
        GateError: payload, deployment or the job's output is wrong; Step Functions shows class and message.
    """
    settings = Settings.from_environment(environment)
    request = PlanRequest.parse(event)
    store = ObjectStore(s3)
    output = read_job_output(store, request.output_uri)
    champion = _with_content(find_champion(cloudformation, sagemaker, settings.serving_stack), store)
    challenger = request.artifact.holding(store.content_of(request.artifact.model_data))
    if not output.rows:
        return {**_nothing_to_ask(output.problem, champion, challenger), "token": token}
    sentences = sentences_file(output.rows)
    digest = sha256(sentences)
    sentences_uri = f"{settings.evidence_uri(digest)}{SENTENCES}"
    if store.read_if_there(sentences_uri) != sentences:
        store.write(sentences_uri, sentences, "application/jsonlines")
    contenders = {"challenger": challenger}
    # A package that is judged again while it serves answers once for both.
    if champion and champion.artifact and champion.artifact.identity != challenger.identity:
        contenders["champion"] = champion.artifact
    to_score = []
    for who, artifact in contenders.items():
        folder = settings.evidence_uri(digest, artifact.identity)
        answers = store.read_if_there(f"{folder}{ANSWERS}")
        if answers is None or count_lines(answers) != len(output.rows):
            to_score.append(_item(who, artifact, settings, token, sentences_uri, folder.rstrip("/")))
    return {
        "test_sha256": digest,
        "rows": len(output.rows),
        "sentences_uri": sentences_uri,
        "champion": _planned(champion, settings, digest),
        "challenger": {
            "evidence_uri": f"{settings.evidence_uri(digest, challenger.identity)}{ANSWERS}",
            "image": challenger.image,
            "content": challenger.content,
        },
        "to_score": to_score,
        "problem": None,
        "token": token,
    }


@logger.inject_lambda_context
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:
    """What Lambda calls. See ``run``."""
    clients = {service: _client(service) for service in ("s3", "cloudformation", "sagemaker")}
    try:
        plan = run(event, os.environ, **clients, token=secrets.token_hex(3))
    except GateError as error:
        logger.error("planning failed", error=type(error).__name__, reason=str(error))
        raise
    logger.info("planned", rows=plan["rows"], champion=plan["champion"], to_score=[i["who"] for i in plan["to_score"]])
    return plan


def _with_content(champion: Champion | None, store: ObjectStore) -> Champion | None:
    """The champion with its artifact's content looked up; one whose model data can't be had can't be scored."""
    if champion is None or champion.artifact is None:
        return champion
    address = champion.artifact.model_data
    try:
        content = store.content_of(address)
    except StorageError as error:
        return replace(champion, artifact=None, problem=str(error))
    if not content:
        return replace(champion, artifact=None, problem=f"its model data {address} does not exist any more")
    return replace(champion, artifact=champion.artifact.holding(content))


def _nothing_to_ask(problem: str | None, champion: Champion | None, artifact: Artifact) -> dict[str, Any]:
    planned = champion and PlannedChampion(champion.package_arn, champion.version, None, champion.problem or problem)
    return {
        "test_sha256": None,
        "rows": 0,
        "sentences_uri": None,
        "champion": planned.as_dict() if planned else None,
        "challenger": {"evidence_uri": None, "image": artifact.image, "content": artifact.content},
        "to_score": [],
        "problem": problem,
    }


def _planned(champion: Champion | None, settings: Settings, digest: str) -> dict[str, Any] | None:
    if champion is None:
        return None
    uri = f"{settings.evidence_uri(digest, champion.artifact.identity)}{ANSWERS}" if champion.artifact else None
    known = (champion.package_arn, champion.version, uri, champion.problem, champion.rows_sha256)
    return PlannedChampion(*known).as_dict()


def _item(
    who: str, artifact: Artifact, settings: Settings, token: str, input_uri: str, output_uri: str
) -> dict[str, Any]:
    name = f"{settings.prefix}-evidence-{artifact.identity[:8]}-{token}"
    return {
        "who": who,
        "model_name": name,
        "image": artifact.image,
        "model_data": artifact.model_data,
        "environment": dict(artifact.environment),
        "transform_job_name": name,
        "input_uri": input_uri,
        "output_uri": output_uri,
    }
