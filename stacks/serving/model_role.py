"""The role a served model runs under."""

from collections.abc import Iterable, Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.container_image import ContainerImage
from stacks.common.log_keeping import LogKeeping
from stacks.common.names import Names
from stacks.common.permissions import Right, container_rights, read_objects, service_role
from stacks.serving.guardrails import guard_alarms


def model_role(
    scope: Construct,
    *,
    names: Names,
    archives: Sequence[str],
    images: Iterable[ContainerImage],
    logs: LogKeeping,
    guarded: bool,
) -> iam.Role:
    """Create the role, which pulls an image, reads archives and writes the endpoint's log; create that log, too.

    A serverless endpoint can't have network isolation, so its model may use this role: it holds nothing more.
    `archives`: patterns of what may be served: kept ones, and those that packages of earlier versions name. `guarded`:
    alarms roll updates of the endpoint back. SageMaker looks at them under this role ("Auto-Rollback Configuration and
    Monitoring", Amazon SageMaker AI Developer Guide).

    The role and its policy are one resource: a model created between the two could not pull its image. The log group
    is not in the serving stack, which holds nothing but the endpoint; a group that SageMaker creates keeps its logs for
    ever.
    """
    log_group = f"/aws/sagemaker/Endpoints/{names.endpoint}"
    logs.group(scope, "Log", name=log_group)
    rights = [
        read_objects(*archives, reason="A model's key contains its digest or the name of the job that made it."),
        *container_rights(scope, images=images, log_groups=[log_group]),
    ]
    if guarded:
        alarms = names.alarm_arns(guard_alarms(names.endpoint))
        rights.append(Right(["cloudwatch:DescribeAlarms"], [alarms], "Their names end with the endpoint config's."))
    return service_role(
        scope,
        name=names.global_name(names.model_role),
        service="sagemaker",
        description="Execution role of the served model",
        inline={"model": rights},
    )
