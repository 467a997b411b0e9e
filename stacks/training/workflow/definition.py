"""The training workflow in Amazon States Language (query language JSONata), built as plain data.

Input of an execution: `lambda/launch/schema.json`; `{}` is enough. Output: `model_package_arn`, `version`,
`training_job`, `model_data`, `data_sha256`, `source`, `metrics` and `verdict`.

Variables: `request` (checked input), `data` (what was ingested, or null), `training` (the job), `best`, `trials` and
`failure` (of a tuning job), `plan` and `scores`
(evidence), `verdict`, `stack` and `serving` (the last look at the champion), `looks`, `plans`, `package_arn`.
"""

from typing import Any

from stacks.common.states_language import FAILED
from stacks.training.workflow import state_names as names
from stacks.training.workflow.champion_states import champion_states
from stacks.training.workflow.evidence_states import evidence_states
from stacks.training.workflow.parts import WorkflowParts
from stacks.training.workflow.registry_states import registry_states
from stacks.training.workflow.training_states import training_states
from stacks.training.workflow.tuning_states import tuning_states

# A job may wait ten days for spot capacity (twice the longest running time); the rest takes hours at most.
_LONGEST_EXECUTION_SECONDS = 11 * 24 * 3600


def training_definition(parts: WorkflowParts) -> dict[str, Any]:
    """Return the whole state machine."""
    return {
        "Comment": "Trains a model, lets it answer the test sentences, judges it, and enters it into the registry.",
        "QueryLanguage": "JSONata",
        "StartAt": names.CHECK,
        "TimeoutSeconds": _LONGEST_EXECUTION_SECONDS,
        "States": {
            **training_states(parts),
            **tuning_states(parts),
            **evidence_states(parts),
            **champion_states(parts),
            **registry_states(parts),
            FAILED: {"Type": "Fail", "Error": "{% $states.input.Error %}", "Cause": "{% $states.input.Cause %}"},
        },
    }
