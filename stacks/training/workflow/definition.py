"""The training workflow: `workflow.asl.yaml`, filled in for an environment."""

import json
from pathlib import Path
from typing import Any

from stacks.common.filled_document import filled
from stacks.common.states_language import SHARED, as_jsonata
from stacks.serving.champion import PENDING, STACK_CHAMPION, STACK_STATUS
from stacks.training.job.metrics import METRICS, VALUE
from stacks.training.job.request import workflow_request
from stacks.training.workflow.parts import WorkflowParts

WORKFLOW = Path(__file__).with_name("workflow.asl.yaml")

OBJECTIVE = {"Name": "tuning_objective", "Regex": rf"\btuning_objective={VALUE}"}
"""What a tuning job maximises: training_job/classifier/training/callbacks.py logs it, of the validation split alone."""
MAX_LOOKS = 60
"""A serving stack that is still changing after so many looks is left to a person."""
MAX_PLANS = 5
"""How often a model is compared anew because the champion has changed."""


def training_definition(parts: WorkflowParts) -> dict[str, Any]:
    """Return the whole state machine."""
    revision = '"git_revision": $code = $ours ? $metadata("${git_revision}"),\n      '
    values = {
        "job": as_jsonata(workflow_request(parts.job)),
        "code_uri": parts.job.code_uri,
        "code_version": parts.job.code_version,
        "tags": parts.job.tag_list,
        "image": parts.container.image.uri,
        "container_environment": json.dumps(dict(parts.container.environment)),
        "output_key": parts.job.output_key.get("KmsKeyId"),
        "metric": OBJECTIVE["Name"],
        "objective": as_jsonata(OBJECTIVE),
        "metrics": json.dumps(list(METRICS)),
        "revision": revision if parts.git_revision else "",
        "stack_status": STACK_STATUS,
        "stack_champion": STACK_CHAMPION,
        "pending": PENDING,
        "max_looks": MAX_LOOKS,
        "max_plans": MAX_PLANS,
    }
    return filled(WORKFLOW, SHARED | vars(parts), values)
