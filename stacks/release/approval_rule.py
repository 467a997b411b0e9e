"""The rule by which an approval in the registry starts a release."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.common.names import Names
from stacks.common.permissions import service_role

_APPROVAL = "ModelApprovalStatus"

# An approval that could not be delivered for this long has no effect: somebody may have decided otherwise since.
_OLDEST_EVENT = Duration.hours(1)


def add_approval_rule(scope: Construct, *, names: Names, state_machine: sfn.StateMachine) -> None:
    """Start the release when a package of the group *becomes* approved: by the gate, a click or a terminal.

    A change of metadata sends the event again with an unchanged status; such events don't match.
    """
    name, group = names.release, names.package_group
    role = service_role(
        scope,
        name=names.global_name(f"{name}-events"),
        service="events",
        description=f"Starts {name} when a model package is approved",
    )
    events.Rule(
        scope,
        "Rule",
        rule_name=name,
        description=f"Releases a package of {group} when it becomes approved",
        event_pattern=events.EventPattern(
            source=["aws.sagemaker"],
            detail_type=["SageMaker Model Package State Change"],
            detail={
                "ModelPackageGroupName": [group],
                _APPROVAL: ["Approved"],
                "UpdatedModelPackageFields": [_APPROVAL],
            },
        ),
        targets=[
            targets.SfnStateMachine(
                state_machine,
                role=role,  # the target lets it start this machine and nothing else
                input=events.RuleTargetInput.from_object(
                    {
                        "model_package_arn": events.EventField.from_path("$.detail.ModelPackageArn"),
                        "approved_at": events.EventField.time,
                    }
                ),
                max_event_age=_OLDEST_EVENT,
                retry_attempts=10,
            )
        ],
    )
