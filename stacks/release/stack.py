"""Release: from an approval in the registry to the endpoint, and back if the endpoint answers wrongly."""

from constructs import Construct

from stacks.common.project_sources import ProjectSources
from stacks.common.project_stack import ProjectStack, add_outputs
from stacks.common.s3_folder import S3Folder
from stacks.common.state_machine import state_machine
from stacks.config.environment import Config
from stacks.release.approval_rule import add_approval_rule
from stacks.release.definition import release_definition
from stacks.release.endpoint_role import release_role
from stacks.release.parts import ReleaseParts
from stacks.release.smoke_test_function import smoke_test_function
from stacks.release.workflow_role import release_workflow_role
from stacks.storage.stack import StorageStack


class ReleaseStack(ProjectStack):
    """What changes the champion. It knows endpoint, serving stack, registry and topic by their names only."""

    def __init__(self, scope: Construct, *, config: Config, storage: StorageStack, sources: ProjectSources) -> None:
        """Create the release side of one environment."""
        super().__init__(scope, "release", config=config)
        names = self.names
        smoke_test = smoke_test_function(
            Construct(self, "SmokeTest"),
            setup=self.function_setup(sources),
            evidence=S3Folder.exported(storage.artifacts, "evidence"),
            models=S3Folder.exported(storage.artifacts, "models"),
        )
        endpoint_role = release_role(Construct(self, "Endpoint"), names=names, serving=config.serving)
        parts = ReleaseParts(
            partition=self.partition,
            name=names.prefix,
            package_arn_prefix=names.package_arn_prefix,
            topic_arn=names.topic_arn,
            serving_stack=names.serving_stack,
            endpoint=names.endpoint,
            hub_model=bool(config.serving.hub_model_id),
            release_role_arn=endpoint_role.role_arn,
            smoke_test_function_arn=smoke_test.function_arn,
            poll_seconds=config.release.poll_seconds,
        )
        machine = state_machine(
            Construct(self, "Workflow"),
            name=names.release,
            comment="Puts an approved model package into service",
            definition=release_definition(parts),
            role=release_workflow_role(Construct(self, "WorkflowRole"), names=names, parts=parts),
            logs=self.logs,
        )
        add_approval_rule(Construct(self, "Rule"), names=names, state_machine=machine)
        add_outputs(self, {"ReleaseStateMachineArn": machine.state_machine_arn})
