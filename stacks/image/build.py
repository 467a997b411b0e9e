"""The slim serving image, built while the stack is deployed."""

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks.common.permissions import Right, grant
from stacks.common.project_sources import ProjectSources, staging_folder
from stacks.common.python_function import FunctionSetup, PythonFunction
from stacks.common.source_code import source_files, stage_folder
from stacks.image.build_project import image_project


def build_image(scope: Construct, *, setup: FunctionSetup, repository: ecr.IRepository) -> str:
    """Build the image during the deployment, and return its tag.

    CodeBuild takes the source to the repository; a custom resource waits for it, and fails the deployment with its
    reason. The tag is the hash of the source: unchanged source builds nothing, changed source makes a new tag.
    """
    sources = setup.sources
    source = s3_assets.Asset(scope, "Source", path=_stage_source(scope, sources))
    tag = source.asset_hash
    name = f"{setup.names.prefix}-image"
    project, role = image_project(
        Construct(scope, "Build"), setup=setup, name=name, source=source, repository=repository, tag=tag
    )
    waiting = PythonFunction(
        scope,
        "Waiting",
        setup=setup,
        name="image-build",
        description="Starts the build of the serving image and waits for its end",
        packages=("image_build",),
        memory_mb=256,
        timeout=Duration.minutes(15),  # the longest that Lambda allows
    )
    grant(
        waiting.role,
        Right(["codebuild:StartBuild", "codebuild:BatchGetBuilds", "codebuild:StopBuild"], [project.attr_arn]),
        Right(["ecr:DescribeImages"], [repository.repository_arn]),
    )
    built = CustomResource(
        scope,
        "Image",
        resource_type="Custom::ServingImage",
        service_token=waiting.function.function_arn,
        properties={"Project": name, "Repository": repository.repository_name, "Tag": tag},
    )
    built.node.add_dependency(project, role, repository, waiting.role)
    return tag


def _stage_source(construct: Construct, sources: ProjectSources) -> str:
    """Lay out the build's folder as in the project, without notes: a changed note does not change the image."""
    container = sources.container
    files = {f"container/{name}": path for name, path in source_files(container) if path.suffix != ".md"}
    staged = stage_folder(
        staging_folder(construct, "serving-image"), {**files, "training_job/serving": sources.training_job / "serving"}
    )
    return str(staged)
