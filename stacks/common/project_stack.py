"""What all stacks of an environment have in common."""

from collections.abc import Mapping

from aws_cdk import CfnOutput, Environment, IStackSynthesizer, Stack
from constructs import Construct

from stacks.common.log_keeping import LogKeeping
from stacks.common.names import Names
from stacks.common.project_sources import ProjectSources
from stacks.common.python_function import FunctionSetup, packages_layer
from stacks.config.environment import Config


class ProjectStack(Stack):
    """A stack of one environment. `names`: names and ARNs as this stack spells them."""

    def __init__(
        self, scope: Construct, part: str, *, config: Config, synthesizer: IStackSynthesizer | None = None
    ) -> None:
        """Create an empty stack named after the environment and its `part`."""
        super().__init__(
            scope,
            f"{config.prefix}-{part}",
            env=Environment(account=config.account or None, region=config.region),
            termination_protection=not config.removable,
            synthesizer=synthesizer,
        )
        self.names = Names(self, config)
        self.logs = LogKeeping(days=config.log_retention_days, removable=config.removable, key_arn=self.names.key_arn)

    def function_setup(self, sources: ProjectSources) -> FunctionSetup:
        """Create the layer with third-party packages; return what the stack's functions have in common."""
        return FunctionSetup(names=self.names, sources=sources, logs=self.logs, layer=packages_layer(self, sources))


def add_outputs(component: Construct, values: Mapping[str, str]) -> None:
    """Add outputs to a component's stack under exactly these names; the component's id would be part of them."""
    for name, value in values.items():
        CfnOutput(Stack.of(component), name, value=value)
