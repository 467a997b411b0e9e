"""API keys, one per client, and the usage plan that ties them to the stage."""

from aws_cdk import aws_apigateway as apigateway

from stacks.api.rest_api import InferenceApi
from stacks.config.api import ApiConfig


def add_api_keys(front: InferenceApi, *, name: str, settings: ApiConfig) -> dict[str, apigateway.IApiKey]:
    """Create a plan, named `name`, with a key per client; return client → key.

    Keys tell clients apart and limit them; they do not authenticate anyone.
    """
    throttle = apigateway.ThrottleSettings(
        rate_limit=min(settings.client_rate_limit, settings.rate_limit),
        burst_limit=min(settings.client_burst_limit, settings.burst_limit),
    )
    quota = apigateway.QuotaSettings(limit=settings.client_daily_quota, period=apigateway.Period.DAY)
    plan = front.api.add_usage_plan(
        "Plan",
        name=name,
        description=f"Clients of {name}",
        throttle=throttle if settings.client_rate_limit else None,
        quota=quota if settings.client_daily_quota else None,
    )
    plan.add_api_stage(stage=front.stage)
    keys: dict[str, apigateway.IApiKey] = {}
    for client in settings.clients:
        key = front.api.add_api_key(
            f"Key-{client}", api_key_name=f"{name}-{client}", description=f"Access of {client} to {name}"
        )
        plan.add_api_key(key)
        keys[client] = key
    return keys
