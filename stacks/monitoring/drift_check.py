"""The scheduled Lambda that compares the traffic with the champion's baseline."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from stacks.common import metric_names
from stacks.common.permissions import Right, grant, list_buckets, look_at_champion, read_objects, use_packages
from stacks.common.python_function import FunctionSetup, PythonFunction
from stacks.common.s3_folder import S3Folder
from stacks.config.environment import MonitoringConfig


class DriftCheck(Construct):
    """Reads the baseline of the package that serves and the newest predictions; publishes their distance."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        setup: FunctionSetup,
        settings: MonitoringConfig,
        artifacts: S3Folder,
    ) -> None:
        """Create function and schedule; `artifacts` is where the gate writes baselines."""
        super().__init__(scope, construct_id)
        names, sources = setup.names, setup.sources
        drift = PythonFunction(
            self,
            "Lambda",
            setup=setup,
            name="drift",
            description="Compares the newest predictions with the champion's baseline",
            handler="drift.handler.handler",
            sources={name: sources.lambda_package(name) for name in ("drift", "distribution")},
            service=metric_names.DRIFT_SERVICE,
            environment={
                "SERVING_STACK": names.serving_stack,
                "PREDICT_SERVICE": metric_names.PREDICT_SERVICE,
                "SAMPLE_PREDICTIONS": str(settings.drift_sample),
                "WINDOW_HOURS": str(settings.drift_window_hours),
                "POWERTOOLS_METRICS_NAMESPACE": names.prefix,
            },
            memory_mb=512,
            timeout=Duration.minutes(1),
        )
        grant(
            drift.role,
            look_at_champion(names.serving_stack_arn),
            use_packages(names.package_arns),
            Right(
                ["cloudwatch:GetMetricData"],
                ["*"],
                "cloudwatch:GetMetricData has no resource-level permissions; it reads numbers.",
            ),
            read_objects(
                artifacts.arn_of("*/evaluation/*/baseline.json"),
                reason="A baseline lies beside its model, under the name of its job.",
            ),
            list_buckets(artifacts.bucket_arn),
        )
        events.Rule(
            self,
            "Schedule",
            rule_name=f"{names.prefix}-drift",
            description="Checks whether the traffic has drifted",
            schedule=events.Schedule.rate(Duration.minutes(settings.drift_minutes)),
            # The next run sees whatever a failed one would have seen.
            targets=[targets.LambdaFunction(drift.function, retry_attempts=0)],
        )
