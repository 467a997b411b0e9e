"""Entry point of the plan function: the test sentences, and which models have to answer them."""

import hashlib
import os
import secrets
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from gate.decision import registry_entry
from gate.evidence.job_output import read_job_output, rows_sha256, sentences_file
from gate.payloads import Contender, Plan, PlanEvent
from gate.settings import Settings
from shared.champion import Artifact, find_champion
from shared.function import client, failures_logged
from shared.storage import ObjectStore

SENTENCES = "sentences.jsonl"
ANSWERS = f"{SENTENCES}.out"  # batch transform names its output so
_EXECUTION_CHARACTERS = 33  # of its name, so that the registry's metadata can hold the whole address

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

    Raises FunctionError: MisconfiguredError, EvidenceError for a wrong output of the job, StorageError, or where nobody
    can tell which model serves.
    """
    settings = Settings.from_environment(environment)
    store = ObjectStore(s3)
    output = read_job_output(store, event["output_uri"])
    champion = find_champion(cloudformation, sagemaker, settings.serving_stack)
    challenger = Artifact(event["image"], event["model_data"], event.get("environment") or {})
    plan: Plan = {
        "test_sha256": None,
        "rows_sha256": rows_sha256(output.rows) if output.rows else None,
        "rows": len(output.rows),
        "sentences_uri": None,
        "champion": None
        if champion is None
        else {
            "package_arn": champion.package_arn,
            "version": champion.version,
            "evidence": None,  # nothing is known of its answers yet
            "problem": champion.problem or output.problem,
            "rows_sha256": champion.rows_sha256,
        },
        "challenger": {"image": challenger.image},
        "to_score": [],
        "problem": output.problem,
        "token": token,
    }
    if not output.rows:
        return plan
    sentences = sentences_file(output.rows)
    plan["test_sha256"] = digest = hashlib.sha256(sentences).hexdigest()
    plan["sentences_uri"] = sentences_uri = f"{settings.evidence_uri(digest)}{SENTENCES}"
    store.write(sentences_uri, sentences, "application/jsonlines")
    asked: dict[Contender, Artifact] = {"challenger": challenger}
    if plan["champion"] is not None and champion is not None and champion.artifact is not None:
        if champion.evidence and champion.evidence["sha256"] and champion.test_sha256 == digest:
            plan["champion"]["evidence"] = champion.evidence
        else:
            asked["champion"] = champion.artifact
    execution = registry_entry.clean(event["execution"])[:_EXECUTION_CHARACTERS]
    for who, artifact in asked.items():
        # This run's own, and an address that the registry can hold.
        folder = settings.evidence_uri(digest, f"{artifact.identity}-{token}-{execution}")
        name = f"{settings.prefix}-evidence-{who}-{token}"
        plan["to_score"].append(_job(who, artifact, name, input_uri=sentences_uri, folder=folder))
    return plan


def _job(who: Contender, artifact: Artifact, name: str, *, input_uri: str, folder: str) -> dict[str, Any]:
    """Return the job in which an artifact answers into a folder."""
    return {
        "who": who,
        "model_name": name,
        "image": artifact.image,
        "model_data": artifact.model_data,
        "environment": dict(artifact.environment),
        "transform_job_name": name,
        "input_uri": input_uri,
        "output_uri": folder.rstrip("/"),
        "evidence_uri": f"{folder}{ANSWERS}",
    }
