"""The state machine that trains and judges a model. Start it with `{}` from the console, a schedule or a terminal."""

from constructs import Construct

from stacks.common.log_keeping import LogKeeping
from stacks.common.names import Names
from stacks.common.project_stack import add_outputs
from stacks.common.s3_folder import S3Folder
from stacks.common.state_machine import state_machine
from stacks.training.workflow.definition import training_definition
from stacks.training.workflow.parts import WorkflowParts
from stacks.training.workflow.role import training_workflow_role


def add_training_workflow(
    scope: Construct, *, names: Names, parts: WorkflowParts, models: S3Folder, logs: LogKeeping
) -> None:
    """Create the state machine and its role; `models` is where kept archives lie.

    Data → training job → kept archive → evidence → verdict → model package. A failed execution says why.
    """
    machine = state_machine(
        scope,
        name=names.training,
        comment="Trains a text classifier, judges it, and enters it into the model registry",
        definition=training_definition(parts),
        role=training_workflow_role(Construct(scope, "Role"), names=names, parts=parts, models=models),
        logs=logs,
    )
    add_outputs(scope, {"StateMachineArn": machine.state_machine_arn})
