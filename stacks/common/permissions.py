"""Rights of roles. A right with a `*` in it comes with the reason, which cdk-nag writes into the template.

cdk-nag names every single finding (`AwsSolutions-IAM5[Resource::*]`); there is no way here to accept a whole rule.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct

from stacks.common.container_image import ContainerImage
from stacks.common.names import arn as arn_of


@dataclass(frozen=True)
class Right:
    """What a role may do to which resources. `reason`: why nothing narrower than the `*` in a resource will do."""

    actions: Sequence[str]
    resources: Sequence[str]
    reason: str = ""
    conditions: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if any("*" in resource for resource in self.resources) and not self.reason:
            raise ValueError(f"{', '.join(self.actions)}: a resource with a wildcard needs a reason")


# Where the service's own documentation shows `aws:SourceAccount` in the trust policy of a role that it takes. Elsewhere
# (lambda, and cloudformation, which shows it for extensions only) the condition might shut the service out.
_SAY_THEIR_ACCOUNT = {
    "sagemaker": "Cross-service confused deputy prevention, Amazon SageMaker AI Developer Guide",
    "states": "Creating an IAM role for your state machine, AWS Step Functions Developer Guide",
    "events": "Cross-service confused deputy prevention in Amazon EventBridge, Amazon EventBridge User Guide",
    "codebuild": "Allow CodeBuild to interact with other AWS services, AWS CodeBuild User Guide",
}


def grant(role: iam.Role, *rights: Right) -> None:
    """Add rights to a role's policy, in this order, and accept their wildcards."""
    for right in rights:
        role.add_to_policy(statement(right))
    _accept_wildcards(role, rights)


def service_role(
    scope: Construct, *, name: str, service: str, description: str, inline: Mapping[str, Sequence[Right]] | None = None
) -> iam.Role:
    """Create a role named `Role` in its scope.

    Where it is documented, the service may take it for this account's resources only.

    `service`: first part of the principal: `lambda`, `states`, `sagemaker`, … `inline`: policy name → rights that are
    created with the role, in one resource; a policy of its own arrives later.
    """
    policies = inline or {}
    here = {"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}} if service in _SAY_THEIR_ACCOUNT else None
    role = iam.Role(
        scope,
        "Role",
        role_name=name,
        description=description,
        assumed_by=iam.ServicePrincipal(f"{service}.amazonaws.com", conditions=here),
        inline_policies={
            policy: iam.PolicyDocument(statements=[statement(right) for right in rights])
            for policy, rights in policies.items()
        },
    )
    for rights in policies.values():
        _accept_wildcards(role, rights)
    return role


def accept(construct: IConstruct, finding: str, reason: str) -> None:
    """Accept one cdk-nag finding on a construct and what is inside it.

    `construct`: where the finding was made. `finding`: rule with, where the rule makes several, the finding in
    brackets. `reason`: why it is right here; goes into the template.
    """
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))


def accept_wildcard(role: iam.Role, resource: str, reason: str) -> None:
    """Accept a `*` in a statement that CDK itself adds to a role; `grant` does it for ours."""
    accept(role, f"AwsSolutions-IAM5[Resource::{_flatten(Stack.of(role).resolve(resource))}]", reason)


def read_objects(*object_arns: str, reason: str = "") -> Right:
    """Read the objects under these ARNs."""
    return Right(["s3:GetObject"], object_arns, reason)


def tell_missing(bucket_arn: str) -> Right:
    """Learn that an object does not exist; S3 says 'access denied' to who may not list the bucket.

    No prefix narrows it: a request for an object has none.
    """
    return Right(["s3:ListBucket"], [bucket_arn])


def list_below(bucket_arn: str, *prefixes: str) -> Right:
    """List what lies below these prefixes, which end in a slash."""
    below = [f"{prefix}*" for prefix in prefixes]
    return Right(["s3:ListBucket"], [bucket_arn], conditions={"StringLike": {"s3:prefix": below}})


def write_objects(*object_arns: str, reason: str) -> Right:
    """Write objects under these ARNs, large ones in parts; S3 lets who began an upload give it up."""
    return Right(["s3:PutObject"], object_arns, reason)


def pass_role(role_arn: str, service: str) -> Right:
    """Hand a role to one service and to no other."""
    return Right(
        ["iam:PassRole"], [role_arn], conditions={"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}
    )


def run_jobs(kind: str, job_arns: str) -> Right:
    """Start jobs of a kind, wait for them and stop them."""
    verbs = [f"sagemaker:{verb}{kind}Job" for verb in ("Create", "Describe", "Stop")]
    return Right([*verbs, "sagemaker:AddTags", "sagemaker:ListTags"], [job_arns], "Each name has a random part.")


def job_rules(scope: Construct, *kinds: str) -> Right:
    """Let Step Functions make the rules of its own by which it learns that a job of these kinds has ended."""
    rules = [arn_of(scope, "events", f"rule/StepFunctionsGetEventsForSageMaker{kind}JobsRule") for kind in kinds]
    return Right(["events:PutTargets", "events:PutRule", "events:DescribeRule"], rules)


def look_at_champion(serving_stack_arn: str, *more: str) -> Right:
    """Describe the serving stack, whose parameter is the champion; `more`: further actions."""
    return Right(
        ["cloudformation:DescribeStacks", *more],
        [serving_stack_arn],
        "CloudFormation appends an id to the name of this one stack.",
    )


def use_packages(package_arns: str, *actions: str) -> Right:
    """Describe model packages of one group; `actions`: further actions on them."""
    return Right(
        ["sagemaker:DescribeModelPackage", *actions], [package_arns], "Any version of this group may be released."
    )


def read_secret(arn: str) -> list[Right]:
    """Allow to read one secret, whichever KMS key it is under: the key may decrypt that secret and nothing else."""
    partition, _, region, account = arn.split(":")[1:5]
    return [
        Right(["secretsmanager:GetSecretValue"], [arn]),
        Right(
            ["kms:Decrypt"],
            [f"arn:{partition}:kms:{region}:{account}:key/*"],
            "Which key a secret is under is not known here; the condition binds the right to the one secret.",
            conditions={
                "StringEquals": {
                    "kms:ViaService": f"secretsmanager.{region}.amazonaws.com",
                    "kms:EncryptionContext:SecretARN": arn,
                }
            },
        ),
    ]


def container_rights(
    scope: Construct, *, images: Iterable[ContainerImage], log_groups: Sequence[str], key_arn: str = ""
) -> list[Right]:
    """Return what every SageMaker container needs: pull its image, write its log, publish its metrics.

    `log_groups`: below `/aws/sagemaker/`, that the container writes to. `key_arn`: key that a job names for its
    output; SageMaker asks that the job's role may use it.
    """
    partition = Stack.of(scope).partition
    return [
        Right(
            ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"],
            [image.repository_arn(partition) for image in images],
        ),
        ECR_LOGIN,
        Right(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [arn_of(scope, "logs", f"log-group:{log_group}:*") for log_group in log_groups],
            "SageMaker names the log streams of this group, one per host.",
        ),
        Right(
            ["cloudwatch:PutMetricData"],
            ["*"],
            "cloudwatch:PutMetricData has no resource-level permissions; a condition restricts it to SageMaker's "
            "namespaces.",
            conditions={"StringLike": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*"]}},
        ),
        *([Right(["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], [key_arn])] if key_arn else []),
    ]


ECR_LOGIN = Right(["ecr:GetAuthorizationToken"], ["*"], "ecr:GetAuthorizationToken has no resource-level permissions.")


def statement(right: Right, *principals: iam.IPrincipal) -> iam.PolicyStatement:
    """Return the right as a policy says it; `principals`: whose it is, where the policy is not a role's."""
    actions, resources = list(right.actions), list(right.resources)
    return iam.PolicyStatement(
        principals=list(principals), actions=actions, resources=resources, conditions=right.conditions
    )


def _accept_wildcards(role: iam.Role, rights: Iterable[Right]) -> None:
    """Accept each wildcard once, with the reasons of all rights that hold it."""
    reasons: dict[str, list[str]] = {}
    for right in rights:
        for resource in right.resources:
            if "*" in resource and right.reason not in reasons.setdefault(resource, []):
                reasons[resource].append(right.reason)
    for resource, found in reasons.items():
        accept_wildcard(role, resource, " ".join(found))


def _flatten(value: object) -> str:
    """Return a resolved resource as cdk-nag names it: joined, with references as `<LogicalId.Attribute>`."""
    if not isinstance(value, dict):
        return str(value)
    ((function, argument),) = value.items()
    if function == "Fn::Join":
        separator, parts = argument
        return str(separator).join(_flatten(part) for part in parts)
    if function == "Fn::GetAtt":
        return f"<{'.'.join(argument)}>"
    if function == "Fn::ImportValue":
        return _flatten(argument)
    return f"<{_flatten(argument)}>"
