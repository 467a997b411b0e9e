"""The environment's own KMS key, for whoever has to show or revoke who can read the data."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.common.names import Names, arn
from stacks.common.removal import removal_policy

_USE = ("kms:Decrypt", "kms:GenerateDataKey*")
_USE_DIRECTLY = (*_USE, "kms:Encrypt", "kms:ReEncrypt*")


def own_key(scope: Construct, *, names: Names, removable: bool) -> kms.Key:
    """Create a key that AWS renews each year, and export its ARN to the other stacks.

    Whoever may use a bucket or the topic may use the key there, as with AWS's own keys; it adds no second list.
    """
    region, account = Stack.of(scope).region, Stack.of(scope).account
    key = kms.Key(scope, "Key", enable_key_rotation=True, removal_policy=removal_policy(removable=removable))
    through = [f"s3.{region}.amazonaws.com", f"sns.{region}.amazonaws.com"]
    here = {"StringEquals": {"kms:CallerAccount": account, "kms:ViaService": through}}
    groups = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn(scope, "logs", "log-group:*")}}
    # SNS drops what these send to the topic if they can't use its key, and nobody sees an error. There is no condition
    # on the source, because EventBridge sends none; the topic's policy says whose messages it takes.
    publishers = [iam.ServicePrincipal(f"{service}.amazonaws.com") for service in ("cloudwatch", "events", "budgets")]
    for principals, actions, conditions in (
        ([iam.AnyPrincipal()], (*_USE_DIRECTLY, "kms:DescribeKey"), here),
        ([iam.ServicePrincipal(f"logs.{region}.amazonaws.com")], _USE_DIRECTLY, groups),
        (publishers, _USE, {}),
    ):
        statement = iam.PolicyStatement(
            principals=principals, actions=list(actions), resources=["*"], conditions=conditions
        )
        key.add_to_resource_policy(statement)
    CfnOutput(scope, "Arn", value=key.key_arn, export_name=names.key_export)
    return key
