"""The topic that reports verdicts, releases, alarms and the budget."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.common.names import Names
from stacks.common.project_stack import add_outputs
from stacks.config.environment import NotificationsConfig


class Notifications(Construct):
    """An SNS topic; its messages hold verdicts and addresses of reports, never a text that was classified."""

    def __init__(self, scope: Construct, construct_id: str, *, names: Names, settings: NotificationsConfig) -> None:
        """Create the topic, and subscribe the configured address."""
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", topic_name=names.topic, enforce_ssl=True)
        self._let_publish("cloudwatch", names.alarm_arns(f"{names.prefix}-"))
        self._let_publish("budgets", names.budget_arns)
        if settings.email:
            self.topic.add_subscription(subscriptions.EmailSubscription(settings.email))
        add_outputs(self, {"NotificationTopicArn": self.topic.topic_arn})

    def _let_publish(self, service: str, source_arns: str) -> None:
        """Let a service send messages about resources of this environment.

        The policy that enforces TLS replaces the default one, which lets alarms publish by themselves.
        """
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": Stack.of(self).account},
                    "ArnLike": {"aws:SourceArn": source_arns},
                },
            )
        )
