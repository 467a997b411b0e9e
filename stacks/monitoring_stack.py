"""Monitoring: dashboard, alarms, the drift check and the budget."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.components.drift_check import DriftCheck
from stacks.components.emitted_metrics import EmittedMetrics
from stacks.components.endpoint_variant import VARIANT
from stacks.components.inference_api import STAGE
from stacks.components.lambda_layer import LambdaLayer
from stacks.components.log_keeping import LogKeeping
from stacks.components.monthly_budget import MonthlyBudget
from stacks.components.operations_alarms import OperationsAlarms
from stacks.components.operations_dashboard import OperationsDashboard
from stacks.components.predict_function import MEMORY_MB
from stacks.components.project_sources import ProjectSources
from stacks.components.s3_folder import S3Folder
from stacks.config import Config
from stacks.storage_stack import StorageStack


class MonitoringStack(Stack):
    """What operators look at, and what calls them. It knows everything it watches by name only."""

    def __init__(
        self, scope: Construct, id_: str, *, config: Config, storage: StorageStack, sources: ProjectSources, **kw: Any
    ) -> None:
        """Create the monitoring of one environment."""
        super().__init__(scope, id_, **kw)
        prefix, settings = config.prefix, config.monitoring
        logs = LogKeeping(days=config.log_retention_days, removable=config.removable)
        topic = sns.Topic.from_topic_arn(
            self, "Topic", f"arn:{self.partition}:sns:{self.region}:{self.account}:{prefix}-notifications"
        )
        metrics = EmittedMetrics(
            prefix=prefix, api_name=prefix, stage=STAGE, endpoint_name=config.endpoint_name, variant=VARIANT,
            machines_arn=f"arn:{self.partition}:states:{self.region}:{self.account}:stateMachine:{prefix}",
        )  # fmt: skip
        DriftCheck(
            self, "Drift", prefix=prefix, settings=settings, serving_stack=config.serving_stack_name,
            packages_arn=f"arn:{self.partition}:sagemaker:{self.region}:{self.account}"
                         f":model-package/{config.model_package_group_name}/*",
            artifacts=S3Folder.exported(storage.artifacts, "training"), sources=sources,
            layer=LambdaLayer(self, "Packages", folder=sources.lambda_layer).layer, logs=logs,
        )  # fmt: skip
        alarms = OperationsAlarms(self, "Alarms", prefix=prefix, metrics=metrics, settings=settings, topic=topic).alarms
        OperationsDashboard(
            self, "Dashboard", prefix=prefix, metrics=metrics, settings=settings, serving=config.serving,
            predict_memory_mb=MEMORY_MB, alarms=alarms,
        )  # fmt: skip
        if settings.monthly_budget_usd:
            MonthlyBudget(
                self, "Budget", prefix=prefix, limit_usd=settings.monthly_budget_usd, topic_arn=topic.topic_arn
            )
        CfnOutput(self, "DashboardName", value=prefix)
        CfnOutput(self, "DriftFunctionName", value=f"{prefix}-drift")
