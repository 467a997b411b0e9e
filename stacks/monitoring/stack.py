"""Monitoring: dashboard, alarms, the drift check and the budget."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.api.predict_function import MEMORY_MB
from stacks.api.rest_api import STAGE
from stacks.common.lambda_layer import LambdaLayer
from stacks.common.log_keeping import LogKeeping
from stacks.common.project_sources import ProjectSources
from stacks.common.s3_folder import S3Folder
from stacks.config.environment import Config
from stacks.monitoring.alarms import OperationsAlarms
from stacks.monitoring.dashboard import OperationsDashboard
from stacks.monitoring.drift_check import DriftCheck
from stacks.monitoring.emitted_metrics import EmittedMetrics
from stacks.monitoring.monthly_budget import MonthlyBudget
from stacks.serving.variant import VARIANT
from stacks.storage.stack import StorageStack


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
            prefix=prefix,
            api_name=prefix,
            stage=STAGE,
            endpoint_name=config.endpoint_name,
            variant=VARIANT,
            machines_arn=f"arn:{self.partition}:states:{self.region}:{self.account}:stateMachine:{prefix}",
        )
        DriftCheck(
            self,
            "Drift",
            prefix=prefix,
            settings=settings,
            serving_stack=config.serving_stack_name,
            packages_arn=f"arn:{self.partition}:sagemaker:{self.region}:{self.account}"
            f":model-package/{config.model_package_group_name}/*",
            artifacts=S3Folder.exported(storage.artifacts, "training"),
            sources=sources,
            layer=LambdaLayer(self, "Packages", folder=sources.lambda_layer).layer,
            logs=logs,
        )
        alarms = OperationsAlarms(self, "Alarms", prefix=prefix, metrics=metrics, settings=settings, topic=topic).alarms
        OperationsDashboard(
            self,
            "Dashboard",
            prefix=prefix,
            metrics=metrics,
            settings=settings,
            serving=config.serving,
            predict_memory_mb=MEMORY_MB,
            alarms=alarms,
        )
        if settings.monthly_budget_usd:
            MonthlyBudget(
                self, "Budget", prefix=prefix, limit_usd=settings.monthly_budget_usd, topic_arn=topic.topic_arn
            )
        CfnOutput(self, "DashboardName", value=prefix)
        CfnOutput(self, "DriftFunctionName", value=f"{prefix}-drift")
