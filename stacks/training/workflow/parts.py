"""What the states of the training workflow refer to."""

from dataclasses import dataclass

from stacks.serving.container import ServingContainer
from stacks.training.job.request import JobRecipe


@dataclass(frozen=True, kw_only=True)
class WorkflowParts:
    """The surroundings of the workflow. Values may hold CDK tokens.

    Attributes:
        git_revision: recorded with each model; may be empty.
        container: what the model packages are served in; the evidence is given under the same settings.
        serving_stack: name of the stack whose parameter says which package is the champion.
        poll_seconds: pause between two looks at that stack.
    """

    partition: str
    name: str
    launch_function_arn: str
    ingest_function_arn: str
    keep_function_arn: str
    plan_function_arn: str
    judge_function_arn: str
    job: JobRecipe
    git_revision: str
    container: ServingContainer
    evidence_role_arn: str
    evidence_instance_type: str
    package_group: str
    topic_arn: str
    serving_stack: str
    poll_seconds: int
