"""The scheduled Lambda that compares the traffic with the champion's baseline."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from stacks.api import predict_function
from stacks.common.permissions import Right, grant, look_at_champion, read_objects, tell_missing, use_packages
from stacks.common.python_function import FunctionSetup, PythonFunction
from stacks.common.s3_folder import S3Folder
from stacks.config.environment import MonitoringConfig


def add_drift_check(scope: Construct, *, setup: FunctionSetup, settings: MonitoringConfig, artifacts: S3Folder) -> None:
    """Create a function that publishes how far the newest predictions are from the champion's baseline; schedule it.

    `artifacts` is where the gate writes baselines.
    """
    names = setup.names
    drift = PythonFunction(
        scope,
        "Lambda",
        setup=setup,
        name="drift",
        description="Compares the newest predictions with the champion's baseline",
        packages=("drift", "distribution"),
        service="drift",
        environment={
            "SERVING_STACK": names.serving_stack,
            "PREDICT_SERVICE": predict_function.SERVICE,
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
        tell_missing(artifacts.bucket_arn),
    )
    events.Rule(
        scope,
        "Schedule",
        rule_name=f"{names.prefix}-drift",
        description="Checks whether the traffic has drifted",
        schedule=events.Schedule.rate(Duration.minutes(settings.drift_minutes)),
        # The next run sees whatever a failed one would have seen.
        targets=[targets.LambdaFunction(drift.function, retry_attempts=0)],
    )
