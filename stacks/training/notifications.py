"""The topic that reports verdicts, releases, alarms and the budget."""

from typing import cast

from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.common.names import Names
from stacks.common.project_stack import add_outputs
from stacks.config.environment import NotificationsConfig


def notification_topic(scope: Construct, *, names: Names, settings: NotificationsConfig) -> sns.Topic:
    """Create the topic, and subscribe the configured address.

    Its messages hold verdicts and addresses of reports, never a text that was classified.
    """
    topic = sns.Topic(scope, "Topic", topic_name=names.topic, enforce_ssl=True)
    cast(sns.CfnTopic, topic.node.default_child).kms_master_key_id = names.key_arn or None
    _let_publish(topic, "cloudwatch", names.alarm_arns(f"{names.prefix}-"))
    _let_publish(topic, "budgets", names.budget_arns)
    if settings.email:
        topic.add_subscription(subscriptions.EmailSubscription(settings.email))
    add_outputs(scope, {"NotificationTopicArn": topic.topic_arn})
    return topic


def _let_publish(topic: sns.Topic, service: str, source_arns: str) -> None:
    """Let a service send messages about resources of this environment.

    The policy that enforces TLS replaces the default one, which lets alarms publish by themselves.
    """
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={
                "StringEquals": {"aws:SourceAccount": topic.stack.account},
                "ArnLike": {"aws:SourceArn": source_arns},
            },
        )
    )
