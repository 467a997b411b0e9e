"""The repository of the slim serving image."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ecr as ecr
from constructs import Construct

_UNTAGGED_DAYS = 7


class ImageRepository(Construct):
    """Images are scanned on push; tags never move, and no rule removes a tagged image.

    A model package names its image by tag, and any package may be released again, so only a person can say which images
    are no longer needed. Each tag is a version of the server's source, so there are few.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, removable: bool) -> None:
        """Create the repository; a `removable` one is deleted with its stack, images included."""
        super().__init__(scope, construct_id)
        self.repository = ecr.Repository(
            self,
            "Repository",
            repository_name=name,
            image_scan_on_push=True,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            lifecycle_rules=[
                ecr.LifecycleRule(
                    description="What no tag names, no model package can name",
                    tag_status=ecr.TagStatus.UNTAGGED,
                    max_image_age=Duration.days(_UNTAGGED_DAYS),
                )
            ],
            removal_policy=RemovalPolicy.DESTROY if removable else RemovalPolicy.RETAIN,
            empty_on_delete=removable,
        )
