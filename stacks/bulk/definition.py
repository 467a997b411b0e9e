"""The bulk workflow: `workflow.asl.yaml`, filled in for an environment."""

from pathlib import Path
from typing import Any

from stacks.bulk.execution_input import DEFAULTS, problems
from stacks.common.filled_document import filled
from stacks.common.s3_folder import S3Folder
from stacks.common.states_language import SHARED, as_jsonata
from stacks.serving.champion import STACK_CHAMPION
from stacks.training.workflow.parts import WorkflowParts

WORKFLOW = Path(__file__).with_name("workflow.asl.yaml")


def bulk_definition(parts: WorkflowParts, *, role_arn: str, runs: S3Folder) -> dict[str, Any]:
    """Return the whole state machine. `role_arn`: of jobs and model. `runs`: holds a folder a run."""
    values = {
        "stack_champion": STACK_CHAMPION,
        "problems": problems(),
        "defaults": as_jsonata({**DEFAULTS, "instance_type": parts.evidence_instance_type}),
        "bucket": runs.bucket_name,
        "prefix": runs.prefix,
        "role_arn": role_arn,
        "image": parts.job.image,
        "code_uri": parts.job.code_uri,
        "output_key": parts.job.output_key.get("KmsKeyId"),
        "tags": parts.job.tag_list,
    }
    return filled(WORKFLOW, SHARED | vars(parts), values)
