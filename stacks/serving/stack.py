"""Serving: the endpoint and nothing else.

No IAM, no exports and no bootstrap rule: a release is an `UpdateStack` that changes the one parameter. It must need
neither capabilities nor SSM, and no other stack may block it.
"""

from aws_cdk import DefaultStackSynthesizer
from constructs import Construct

from stacks.common.container_image import INFERENCE, resolve_image
from stacks.common.project_stack import ProjectStack, add_outputs
from stacks.config.environment import Config
from stacks.serving.model_endpoint import ModelEndpoint


class ServingStack(ProjectStack):
    """The endpoint of one environment; the stack's parameter says which model is the champion."""

    def __init__(self, scope: Construct, *, config: Config) -> None:
        """Create the endpoint."""
        synthesizer = DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
        super().__init__(scope, "serving", config=config, synthesizer=synthesizer)
        ModelEndpoint(
            self,
            "Serving",
            names=self.names,
            serving=config.serving,
            image_uri=resolve_image(INFERENCE, config.region).uri,
        )
        add_outputs(self, {"EndpointName": self.names.endpoint})
