"""Serving: the endpoint and nothing else.

No IAM, no exports and no bootstrap rule: a release is an ``UpdateStack`` that changes the one parameter, and must need
neither capabilities nor SSM, nor be held back by another stack.
"""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, DefaultStackSynthesizer, Stack
from constructs import Construct

from stacks.common.dlc_image import INFERENCE, resolve_image
from stacks.config.environment import Config
from stacks.serving.model_endpoint import ModelEndpoint


class ServingStack(Stack):
    """The endpoint of one environment; the stack's parameter says which model is the champion."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config, **kwargs: Any) -> None:
        """Create the endpoint."""
        super().__init__(
            scope,
            construct_id,
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            **kwargs,
        )
        ModelEndpoint(
            self,
            "Serving",
            endpoint_name=config.endpoint_name,
            serving=config.serving,
            role_arn=f"arn:{self.partition}:iam::{self.account}:role/{config.model_role_name}",
            image_uri=resolve_image(INFERENCE, config.region).uri,
        )
        CfnOutput(self, "EndpointName", value=config.endpoint_name)
