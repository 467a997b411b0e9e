"""API keys, one a client, and the usage plan that ties them to the stage."""

from __future__ import annotations

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from stacks.api.rest_api import InferenceApi
from stacks.config.environment import ApiConfig


class ApiKeys(Construct):
    """Keys under one plan. Keys tell clients apart and limit them; they are no proof of who somebody is.

    Attributes:
        keys: client → key.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, front: InferenceApi, settings: ApiConfig
    ) -> None:
        """Create the keys.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            name: first part of the keys' names, and name of the plan.
            front: the API that they open.
            settings: the clients, and what one of them may ask.
        """
        super().__init__(scope, construct_id)
        plan = front.api.add_usage_plan(
            "Plan",
            name=name,
            description=f"Clients of {name}",
            throttle=apigateway.ThrottleSettings(
                rate_limit=settings.client_rate_limit, burst_limit=settings.client_burst_limit
            )
            if settings.client_rate_limit
            else None,
            quota=apigateway.QuotaSettings(limit=settings.client_daily_quota, period=apigateway.Period.DAY)
            if settings.client_daily_quota
            else None,
        )
        plan.add_api_stage(stage=front.stage)
        self.keys: dict[str, apigateway.IApiKey] = {}
        for client in settings.clients:
            key = front.api.add_api_key(
                f"Key-{client}", api_key_name=f"{name}-{client}", description=f"Access of {client} to {name}"
            )
            plan.add_api_key(key)
            self.keys[client] = key
