"""The topic that tells of verdicts, releases, alarms and the budget."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.common.outputs import add_outputs
from stacks.config.environment import NotificationsConfig


class Notifications(Construct):
    """An SNS topic; the messages hold verdicts and addresses of reports, no text that was classified.

    Attributes:
        topic: the topic.
    """

    def __init__(self, scope: Construct, construct_id: str, *, prefix: str, settings: NotificationsConfig) -> None:
        """Create the topic.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            prefix: first part of the topic's name.
            settings: who is subscribed from the start.
        """
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", topic_name=f"{prefix}-notifications", enforce_ssl=True)
        self._let_publish("cloudwatch", f"cloudwatch:{Stack.of(self).region}", f"alarm:{prefix}-*")
        self._let_publish("budgets", "budgets:", f"budget/{prefix}-*")
        if settings.email:
            self.topic.add_subscription(subscriptions.EmailSubscription(settings.email))
        add_outputs(self, {"NotificationTopicArn": self.topic.topic_arn})

    def _let_publish(self, service: str, arn_service: str, resource: str) -> None:
        """Let a service tell the topic of what belongs to this environment.

        The policy that enforces TLS takes the place of the default one, by which alarms could publish by themselves.
        """
        stack = Stack.of(self)
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": f"arn:{stack.partition}:{arn_service}:{stack.account}:{resource}"},
                },
            )
        )
