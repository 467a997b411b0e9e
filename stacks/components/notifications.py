"""The topic that tells of verdicts and releases."""

from __future__ import annotations

from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.components.outputs import add_outputs
from stacks.config import NotificationsConfig


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
        if settings.email:
            self.topic.add_subscription(subscriptions.EmailSubscription(settings.email))
        add_outputs(self, {"NotificationTopicArn": self.topic.topic_arn})
