"""How an update of an instance-backed endpoint is watched, and what rolls it back.

Serverless endpoints have no such guard: SageMaker updates them all at once.
"""

from pathlib import Path
from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.common.filled_document import filled
from stacks.config.serving import InstancesConfig
from stacks.serving.variant import VARIANT

# Instances start within minutes. SageMaker gives up an update that takes longer than its baking time and this, before
# the release workflow's hour is over.
_START_SECONDS = 25 * 60


def guard_alarms(endpoint_name: str) -> str:
    """Return the beginning of the names of an endpoint's guarding alarms."""
    return f"{endpoint_name}-update-"


def guarded_deployment(
    scope: Construct, *, endpoint: sagemaker.CfnEndpoint, instances: InstancesConfig
) -> dict[str, Any]:
    """Create two alarms on the fleet of the endpoint's config; return the deployment that they guard."""
    name, bake_seconds, canary = str(endpoint.endpoint_name), instances.bake_minutes * 60, instances.canary_percent
    values = {
        "endpoint": name,
        "variant": VARIANT,
        "config": endpoint.endpoint_config_name,
        "alarms": guard_alarms(name),
        "max_latency_us": instances.max_latency_ms * 1000,
        "routing": "CANARY" if canary else "ALL_AT_ONCE",
        "canary": {"Type": "CAPACITY_PERCENT", "Value": canary} if canary else None,
        "canary_seconds": bake_seconds if canary else None,
        "bake_seconds": bake_seconds,
        "longest_seconds": 2 * bake_seconds + _START_SECONDS,
    }
    document = filled(Path(__file__).with_suffix(".yaml"), vars(instances), values)
    guards = []
    for what, properties in document["Alarms"].items():
        alarm = cloudwatch.CfnAlarm(scope, what, **properties)
        alarm.cfn_options.condition = endpoint.cfn_options.condition
        guards.append({"AlarmName": alarm.ref})
    policy = document["BlueGreenUpdatePolicy"]
    return {"AutoRollbackConfiguration": {"Alarms": guards}, "BlueGreenUpdatePolicy": policy}
