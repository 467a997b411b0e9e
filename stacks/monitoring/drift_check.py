"""The scheduled Lambda that compares the traffic with the champion's baseline."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.common import metric_names as names
from stacks.common.acknowledgements import accept_wildcard
from stacks.common.log_keeping import LogKeeping
from stacks.common.project_sources import ProjectSources
from stacks.common.python_function import PythonFunction
from stacks.common.s3_folder import S3Folder
from stacks.common.statements import list_buckets, read_objects
from stacks.config.environment import MonitoringConfig


class DriftCheck(Construct):
    """Reads the baseline of whichever package serves and the newest predictions; publishes how far they are apart."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        settings: MonitoringConfig,
        serving_stack: str,
        packages_arn: str,
        artifacts: S3Folder,
        sources: ProjectSources,
        layer: lambda_.ILayerVersion,
        logs: LogKeeping,
    ) -> None:
        """Create function and schedule.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            prefix: first part of the names, and namespace of the metrics.
            settings: how often it looks, and at how much.
            serving_stack: name of the stack whose parameter says which package is the champion.
            packages_arn: pattern of the ARNs of the group's packages.
            artifacts: where the gate writes baselines.
            sources: where the code lies.
            layer: third-party packages.
            logs: how long the log is kept.
        """
        super().__init__(scope, construct_id)
        function = PythonFunction(
            self,
            "Lambda",
            name=f"{prefix}-drift",
            description="Compares the newest predictions with the champion's baseline",
            handler="drift.handler.handler",
            sources={name: sources.lambda_package(name) for name in ("drift", "distribution", "shared")},
            layers=[layer],
            environment={
                "SERVING_STACK": serving_stack,
                "PREDICT_SERVICE": names.PREDICT_SERVICE,
                "SAMPLE_PREDICTIONS": str(settings.drift_sample),
                "WINDOW_HOURS": str(settings.drift_window_hours),
                "POWERTOOLS_SERVICE_NAME": names.DRIFT_SERVICE,
                "POWERTOOLS_METRICS_NAMESPACE": prefix,
            },
            memory_mb=512,
            timeout=Duration.minutes(1),
            logs=logs,
        )
        self._allow(function.role, serving_stack, packages_arn, artifacts)
        events.Rule(
            self,
            "Schedule",
            rule_name=f"{prefix}-drift",
            description="Looks whether the traffic has drifted",
            schedule=events.Schedule.rate(Duration.minutes(settings.drift_minutes)),
            # The next look sees whatever a lost one would have seen.
            targets=[targets.LambdaFunction(function.function, retry_attempts=0)],
        )

    def _allow(self, role: iam.Role, serving_stack: str, packages_arn: str, artifacts: S3Folder) -> None:
        stack = Stack.of(self)
        serving = f"arn:{stack.partition}:cloudformation:{stack.region}:{stack.account}:stack/{serving_stack}/*"
        baselines = f"{artifacts.bucket_arn}/{artifacts.prefix}/*/evaluation/*/baseline.json"
        for statement in (
            iam.PolicyStatement(actions=["cloudformation:DescribeStacks"], resources=[serving]),
            iam.PolicyStatement(actions=["sagemaker:DescribeModelPackage"], resources=[packages_arn]),
            iam.PolicyStatement(actions=["cloudwatch:GetMetricData"], resources=["*"]),
            read_objects(baselines),
            list_buckets(artifacts.bucket_arn),
        ):
            role.add_to_policy(statement)
        accept_wildcard(role, serving, "CloudFormation puts an id behind the name of this one stack.")
        accept_wildcard(role, packages_arn, "Any version of this one group may be the champion.")
        accept_wildcard(role, "*", "cloudwatch:GetMetricData has no resource-level permissions; it reads numbers.")
        accept_wildcard(role, baselines, "A baseline lies beside its model, under the name of its job.")
