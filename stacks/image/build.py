"""The slim serving image, built while the stack is deployed."""

from __future__ import annotations

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks.common.log_keeping import LogKeeping
from stacks.common.project_sources import ProjectSources, staging_folder
from stacks.common.python_function import PythonFunction
from stacks.common.source_code import source_files, stage_folder
from stacks.image.build_project import ImageProject

_WAIT = Duration.minutes(15)  # the longest that a function may run


class ImageBuild(Construct):
    """Source → CodeBuild → repository, and a custom resource that waits and fails the deployment with the reason.

    The tag is the hash of the source: an unchanged one builds nothing, a changed one makes a new tag beside the old.

    Attributes:
        tag: tag of the image.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        repository: ecr.IRepository,
        sources: ProjectSources,
        logs: LogKeeping,
    ) -> None:
        """Create what builds the image.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            name: name of the CodeBuild project; the function that waits is named after it.
            repository: where the image is pushed to.
            sources: where the code lies.
            logs: how long the logs are kept.
        """
        super().__init__(scope, construct_id)
        source = s3_assets.Asset(self, "Source", path=_stage_source(self, sources))
        self.tag = source.asset_hash
        project = ImageProject(self, "Build", name=name, source=source, repository=repository, tag=self.tag, logs=logs)
        waiting = PythonFunction(
            self,
            "Waiting",
            name=f"{name}-build",
            description="Starts the build of the serving image and waits for its end",
            handler="image_build.handler.handler",
            sources={name: sources.lambda_package(name) for name in ("image_build", "shared")},
            layers=[],
            environment={},
            memory_mb=256,
            timeout=_WAIT,
            logs=logs,
        )
        for actions, resource in (
            (["codebuild:StartBuild", "codebuild:BatchGetBuilds", "codebuild:StopBuild"], project.arn),
            (["ecr:DescribeImages"], repository.repository_arn),
        ):
            waiting.role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
        built = CustomResource(
            self,
            "Image",
            resource_type="Custom::ServingImage",
            service_token=waiting.function.function_arn,
            properties={"Project": project.name, "Repository": repository.repository_name, "Tag": self.tag},
        )
        built.node.add_dependency(*project.ready, repository, waiting.role)


def _stage_source(construct: Construct, sources: ProjectSources) -> str:
    """The build's folder, laid out as in the project; a changed note about it is no change of it."""
    container = sources.container
    files = {f"container/{name}": path for name, path in source_files(container) if path.suffix != ".md"}
    return str(
        stage_folder(
            staging_folder(construct, "serving-image"),
            {**files, "training_job/serving": sources.training_job / "serving"},
        )
    )
