"""What becomes of a resource that holds data, logs or models when its stack goes."""

from aws_cdk import RemovalPolicy


def removal_policy(*, removable: bool) -> RemovalPolicy:
    """Return the policy: deleted with its stack if `removable`, else kept.

    A kept resource is still removed if the very deployment that creates it fails. Otherwise its name would be taken,
    and the next attempt would end with "already exists".
    """
    return RemovalPolicy.DESTROY if removable else RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
