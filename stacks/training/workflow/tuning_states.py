"""The training workflow with several training jobs: `tuning.asl.yaml`, filled in for an environment."""

from pathlib import Path

from stacks.common.states_language import CAUSE, FAILED, States, as_jsonata, catch_failure, filled, retry_sagemaker
from stacks.training.job.request import workflow_request
from stacks.training.workflow import state_names as names
from stacks.training.workflow.parts import WorkflowParts
from stacks.training.workflow.training_states import trained

OBJECTIVE = {"Name": "tuning_objective", "Regex": r"\btuning_objective=([0-9.]+)"}
"""What is maximised: training_job/classifier/training/callbacks.py logs it, of the validation split alone."""
_CHOSEN = "{% $trials[job = $best].values %}"
_TUNING = {"job": "{% $request.job_name %}", "metric": OBJECTIVE["Name"], "values": _CHOSEN, "trials": "{% $trials %}"}


def tuning_states(parts: WorkflowParts) -> States:
    """Return the states that find the best training job; from there on it goes the way of any other."""
    values = {
        "partition": parts.partition,
        "metric": OBJECTIVE["Name"],
        "objective": as_jsonata(OBJECTIVE),
        "job": as_jsonata(workflow_request(parts.job)),
        "tags": parts.tags,
        "described": trained(
            f"$merge([$request.hyperparameters, {as_jsonata(_CHOSEN)}])", tuning=f"{{% {as_jsonata(_TUNING)} %}}"
        ),
        "cause": CAUSE,
        "said": as_jsonata(CAUSE),
        "failed": FAILED,
        "retry": retry_sagemaker(),
        "catch": catch_failure(),
        "then": names.KEEP,
    }
    states: States = filled(Path(__file__).with_name("tuning.asl.yaml"), values)["States"]
    return states
