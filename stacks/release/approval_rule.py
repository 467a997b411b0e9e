"""The rule by which an approval in the registry starts a release."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

_APPROVAL = "ModelApprovalStatus"

# An approval that could not be delivered for this long is not acted on any more; somebody may have decided otherwise.
_OLDEST_EVENT = Duration.hours(1)


class ReleaseRule(Construct):
    """Starts the release when a package of the group *becomes* approved: by the gate, a click or a terminal.

    Changed metadata re-emits the event with the status as it is; such events don't match.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, group: str, state_machine: sfn.StateMachine
    ) -> None:
        """Create the rule and its role.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            name: name of the rule; its role's name begins with it.
            group: name of the model package group.
            state_machine: what is started.
        """
        super().__init__(scope, construct_id)
        role = iam.Role(
            self,
            "Role",
            role_name=f"{name}-events",
            description=f"Starts {name} when a model package is approved",
            assumed_by=iam.ServicePrincipal("events.amazonaws.com"),
        )
        events.Rule(
            self,
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
                    role=role,  # which is allowed to start this machine thereby, and nothing else
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
