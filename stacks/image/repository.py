"""The repository of the slim serving image."""

from aws_cdk import Duration
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from stacks.common.removal import removal_policy

_UNTAGGED_DAYS = 7


def image_repository(scope: Construct, *, name: str, removable: bool) -> ecr.Repository:
    """Create a repository whose images are scanned on push; tags never move, and no rule removes a tagged image.

    A model package names its image by tag, and any package may be released again, so only a person can say which images
    are no longer needed. Each tag is a version of the server's source, so there are few. A `removable` repository is
    deleted with its stack, images included.
    """
    return ecr.Repository(
        scope,
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
        removal_policy=removal_policy(removable=removable),
        empty_on_delete=removable,
    )
