"""Image: the slim serving image. Exists where `serving.container` is `slim`.

A stack of its own: model packages name the image by its tag, so that it has to be there before they are; and the
repository outlives a change of mind, because older packages name images in it.
"""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from stacks.common.log_keeping import LogKeeping
from stacks.common.project_sources import ProjectSources
from stacks.config.environment import Config
from stacks.image.build import ImageBuild
from stacks.image.repository import ImageRepository


class ImageStack(Stack):
    """Repository and build of the slim serving image of one environment.

    Attributes:
        tag: tag of the image that this deployment builds.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, config: Config, sources: ProjectSources, **kwargs: Any
    ) -> None:
        """Create repository and build."""
        super().__init__(scope, construct_id, **kwargs)
        logs = LogKeeping(days=config.log_retention_days, removable=config.removable)
        repository = ImageRepository(
            self, "Images", name=config.image_repository_name, removable=config.removable
        ).repository
        build = ImageBuild(
            self, "Serving", name=f"{config.prefix}-image", repository=repository, sources=sources, logs=logs
        )
        self.tag = build.tag
        CfnOutput(self, "ServingImage", value=repository.repository_uri_for_tag(self.tag))
