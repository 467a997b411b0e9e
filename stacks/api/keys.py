"""API keys, one per client, and the usage plan that ties them to the stage."""

from __future__ import annotations

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from stacks.api.rest_api import InferenceApi
from stacks.config.api import ApiConfig


class ApiKeys(Construct):
    """Keys under one plan. Keys tell clients apart and limit them; they do not authenticate anyone.

    Attributes:
        keys: client → key.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, front: InferenceApi, settings: ApiConfig
    ) -> None:
        """Create the plan, named `name`, and the keys."""
        super().__init__(scope, construct_id)
        throttle = apigateway.ThrottleSettings(
            rate_limit=settings.client_rate_limit, burst_limit=settings.client_burst_limit
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
        self.keys: dict[str, apigateway.IApiKey] = {}
        for client in settings.clients:
            key = front.api.add_api_key(
                f"Key-{client}", api_key_name=f"{name}-{client}", description=f"Access of {client} to {name}"
            )
            plan.add_api_key(key)
            self.keys[client] = key
