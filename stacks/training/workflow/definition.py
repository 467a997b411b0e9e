"""The training workflow in Amazon States Language (query language JSONata), built as plain data.

Input of an execution: `lambda/launch/schema.json`; ``{}`` is enough. Output: ``model_package_arn``, ``version``,
``training_job``, ``model_data``, ``data_sha256``, ``source``, ``metrics`` and ``verdict``.

Variables: `request` (checked input), `data` (what was ingested, or null), `training` (the job), `plan` and `scores`
(evidence), `verdict`, `stack` and `serving` (the last look at the champion), `looks`, `plans`, `package_arn`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stacks.common.states_language import FAILED, report_failure
from stacks.training.job.request import JobRecipe
from stacks.training.workflow.champion_states import LOOK, champion_states
from stacks.training.workflow.evidence_states import answer_sentences, judge, plan_evidence
from stacks.training.workflow.registry_states import record_verdict, register_model, report_verdict
from stacks.training.workflow.training_states import check_input, ingest, train, train_or_judge

CHECK = "Check input"
ROUTE = "Train or judge"
INGEST = "Ingest data"
TRAIN = "Train"
PLAN = "Plan evidence"
ANSWER = "Answer the test sentences"
JUDGE = "Judge"
REGISTER = "Register model"
RECORD = "Record verdict"
REPORT = "Report verdict"
DONE = "Done"

# A job may wait ten days for spot capacity (twice the longest running time); the rest takes hours at most.
_LONGEST_EXECUTION_SECONDS = 11 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class WorkflowParts:
    """What the states refer to. Values may hold CDK tokens."""

    partition: str
    name: str
    """What the model is called in messages."""
    launch_function_arn: str
    ingest_function_arn: str
    plan_function_arn: str
    judge_function_arn: str
    job: JobRecipe
    code_version: str
    git_revision: str
    inference_image: str
    serving_environment: Mapping[str, str]
    """Environment variables of the packages; the evidence is given under the same."""
    evidence_role_arn: str
    evidence_instance_type: str
    model_package_group: str
    topic_arn: str
    serving_stack: str
    """Name of the stack whose parameter says which package is the champion."""
    poll_seconds: int
    """Pause between two looks at that stack."""


def training_definition(parts: WorkflowParts) -> dict[str, Any]:
    """The whole state machine."""
    aws = parts.partition
    serving: dict[str, Any] = {"image": parts.inference_image, "environment": parts.serving_environment}
    return {
        "Comment": "Trains a model, lets it answer the test sentences, judges it, and enters it into the registry.",
        "QueryLanguage": "JSONata",
        "StartAt": CHECK,
        "TimeoutSeconds": _LONGEST_EXECUTION_SECONDS,
        "States": {
            CHECK: check_input(aws, parts.launch_function_arn, then=ROUTE),
            ROUTE: train_or_judge(train=INGEST, judge=PLAN),
            INGEST: ingest(aws, parts.ingest_function_arn, then=TRAIN),
            TRAIN: train(aws, parts.job, then=PLAN),
            PLAN: plan_evidence(aws, parts.plan_function_arn, **serving, then=ANSWER),
            ANSWER: answer_sentences(
                aws,
                role_arn=parts.evidence_role_arn,
                instance_type=parts.evidence_instance_type,
                tags=parts.job.tags,
                then=JUDGE,
            ),
            JUDGE: judge(aws, parts.judge_function_arn, then=LOOK),
            **champion_states(
                aws,
                serving_stack=parts.serving_stack,
                poll_seconds=parts.poll_seconds,
                replan=PLAN,
                then=REGISTER,
            ),
            REGISTER: register_model(
                aws,
                group=parts.model_package_group,
                **serving,
                code_uri=parts.job.code_uri,
                code_version=parts.code_version,
                git_revision=parts.git_revision,
                then=RECORD,
            ),
            RECORD: record_verdict(aws, then=REPORT),
            REPORT: report_verdict(aws, topic_arn=parts.topic_arn, name=parts.name, then=DONE),
            DONE: {"Type": "Succeed"},
            FAILED: report_failure(),
        },
    }
