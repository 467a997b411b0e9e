"""Entry point of the plan function: find out which answers to the test sentences are missing, and who gives them."""

import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from gate.evidence.job_output import read_job_output, sentences_file
from gate.evidence.json_lines import count_lines
from gate.payloads import Contender, Plan, PlanEvent
from gate.settings import Settings
from shared.champion import Artifact, Champion, find_champion
from shared.function import client, failures_logged
from shared.storage import ObjectStore, StorageError

SENTENCES = "sentences.jsonl"
ANSWERS = f"{SENTENCES}.out"  # batch transform names its output so

logger = Logger()


@logger.inject_lambda_context
def handler(event: PlanEvent, context: LambdaContext) -> Plan:
    """Handle the call; see `run`."""
    clients = {service: client(service) for service in ("s3", "cloudformation", "sagemaker")}
    with failures_logged(logger, "planning failed"):
        plan = run(event, os.environ, **clients, token=secrets.token_hex(3))
    logger.info("planned", rows=plan["rows"], champion=plan["champion"], to_score=[i["who"] for i in plan["to_score"]])
    return plan


def run(
    event: PlanEvent, environment: Mapping[str, str], *, s3: Any, cloudformation: Any, sagemaker: Any, token: str
) -> Plan:
    """Plan with the given boto3 clients; six hexadecimal digits as `token` keep the names of two runs apart.

    Raises FunctionError: MisconfiguredError, EvidenceError for a wrong output of the job, StorageError, or
    ServingUnknownError where nobody can tell which model serves.
    """
    settings = Settings.from_environment(environment)
    store = ObjectStore(s3)
    output = read_job_output(store, event["output_uri"])
    champion = _with_etag(find_champion(cloudformation, sagemaker, settings.serving_stack), store)
    model_data = event["model_data"]
    challenger = Artifact(event["image"], model_data, event.get("environment") or {}, store.etag(model_data))
    plan: Plan = {
        "test_sha256": None,
        "rows": len(output.rows),
        "sentences_uri": None,
        "champion": None,
        "challenger": {"evidence_uri": None, "image": challenger.image, "content": challenger.etag},
        "to_score": [],
        "problem": output.problem,
        "token": token,
    }
    if champion is not None:
        plan["champion"] = {
            "package_arn": champion.package_arn,
            "version": champion.version,
            "evidence_uri": None,
            "problem": champion.problem or output.problem,
            "rows_sha256": champion.rows_sha256,
        }
    if not output.rows:
        return plan
    sentences = sentences_file(output.rows)
    plan["test_sha256"] = digest = hashlib.sha256(sentences).hexdigest()
    plan["sentences_uri"] = sentences_uri = f"{settings.evidence_uri(digest)}{SENTENCES}"
    if store.read_if_there(sentences_uri) != sentences:
        store.write(sentences_uri, sentences, "application/jsonlines")

    def answers_uri(who: Contender, artifact: Artifact) -> str:
        """Return where the artifact's answers belong, and plan the job that gives them where they are incomplete."""
        folder = settings.evidence_uri(digest, artifact.identity)
        answers = store.read_if_there(f"{folder}{ANSWERS}")
        if answers is None or count_lines(answers) != len(output.rows):
            name = f"{settings.prefix}-evidence-{artifact.identity[:8]}-{token}"
            plan["to_score"].append(_item(who, artifact, name, sentences_uri, folder))
        return f"{folder}{ANSWERS}"

    plan["challenger"]["evidence_uri"] = answers_uri("challenger", challenger)
    if plan["champion"] is not None and champion is not None and champion.artifact is not None:
        # A package that is judged again while it serves answers once for both.
        same = champion.artifact.identity == challenger.identity
        uri = plan["challenger"]["evidence_uri"] if same else answers_uri("champion", champion.artifact)
        plan["champion"]["evidence_uri"] = uri
    return plan


def _with_etag(champion: Champion | None, store: ObjectStore) -> Champion | None:
    """Look up the content of the champion's artifact; without its model data the champion can't be asked."""
    if champion is None or champion.artifact is None:
        return champion
    address = champion.artifact.model_data
    try:
        etag = store.etag(address)
    except StorageError as error:
        return replace(champion, artifact=None, problem=str(error))
    if not etag:
        return replace(champion, artifact=None, problem=f"its model data {address} does not exist any more")
    return replace(champion, artifact=replace(champion.artifact, etag=etag))


def _item(who: Contender, artifact: Artifact, name: str, input_uri: str, output_folder: str) -> dict[str, Any]:
    return {
        "who": who,
        "model_name": name,
        "image": artifact.image,
        "model_data": artifact.model_data,
        "environment": dict(artifact.environment),
        "transform_job_name": name,
        "input_uri": input_uri,
        "output_uri": output_folder.rstrip("/"),
    }
