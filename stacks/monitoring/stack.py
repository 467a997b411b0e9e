"""Monitoring: dashboard, alarms, the drift check and the budget."""

from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.common.project_sources import ProjectSources
from stacks.common.project_stack import ProjectStack, add_outputs
from stacks.common.s3_folder import S3Folder
from stacks.config.environment import Config
from stacks.monitoring.drift_check import add_drift_check
from stacks.monitoring.monthly_budget import add_monthly_budget
from stacks.monitoring.watched import add_dashboard, create_alarms, watched
from stacks.storage.stack import StorageStack


class MonitoringStack(ProjectStack):
    """What operators watch, and what alerts them. It knows everything that it watches by name only."""

    def __init__(self, scope: Construct, *, config: Config, storage: StorageStack, sources: ProjectSources) -> None:
        """Create the monitoring of one environment."""
        super().__init__(scope, "monitoring", config=config)
        names, settings = self.names, config.monitoring
        topic = sns.Topic.from_topic_arn(self, "Topic", names.topic_arn)
        document = watched(names, settings, config.serving)
        add_drift_check(
            Construct(self, "Drift"),
            setup=self.function_setup(sources),
            settings=settings,
            artifacts=S3Folder.exported(storage.artifacts, "training"),
        )
        rules, runbook = document["Alarms"], settings.runbook_url
        alarms = create_alarms(Construct(self, "Alarms"), rules, prefix=names.prefix, runbook=runbook, topic=topic)
        add_dashboard(Construct(self, "Dashboard"), document["Dashboard"], name=names.prefix, alarms=alarms)
        if settings.monthly_budget_usd:
            limit = settings.monthly_budget_usd
            budget = names.global_name(f"{names.prefix}-monthly")
            add_monthly_budget(Construct(self, "Budget"), name=budget, limit_usd=limit, topic_arn=topic.topic_arn)
        add_outputs(self, {"DashboardName": names.prefix, "DriftFunctionName": f"{names.prefix}-drift"})
