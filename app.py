"""The CDK app: configuration, then stacks, then checks. Makes no network call."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from aws_cdk import App, Environment, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from stacks.api.stack import ApiStack
from stacks.common.errors import StacksError
from stacks.common.project_sources import ProjectSources
from stacks.config.environment import Config, load_config
from stacks.image.stack import ImageStack
from stacks.monitoring.stack import MonitoringStack
from stacks.release.stack import ReleaseStack
from stacks.serving.stack import ServingStack
from stacks.storage.stack import StorageStack
from stacks.training.stack import TrainingStack

ROOT = Path(__file__).resolve().parent


def build(app: App, config: Config, sources: ProjectSources) -> None:
    """Put the stacks of one environment into an app.

    Args:
        app: the CDK app.
        config: the environment.
        sources: where the deployed code lies.
    """
    common: dict[str, Any] = {
        "config": config,
        "env": Environment(account=config.account or None, region=config.region),
        "termination_protection": not config.removable,
    }
    storage = StorageStack(app, f"{config.prefix}-storage", **common)
    slim = config.serving.container == "slim"
    image = ImageStack(app, f"{config.prefix}-image", sources=sources, **common) if slim else None
    training = TrainingStack(
        app,
        f"{config.prefix}-training",
        storage=storage,
        sources=sources,
        slim_tag=image.tag if image else None,
        **common,
    )
    if image:
        # The packages name the image by its tag alone.
        training.add_stack_dependency(image)
    # It imports the buckets by the names of their exports, a dependency that CDK doesn't see by itself.
    training.add_stack_dependency(storage)
    serving = ServingStack(app, f"{config.prefix}-serving", **common)
    # The model's role has to exist, with its policy, before the model does; the name alone doesn't say so.
    serving.add_stack_dependency(training)
    release = ReleaseStack(app, f"{config.prefix}-release", storage=storage, sources=sources, **common)
    # It knows the registry, the topic and the endpoint's stack by name.
    release.add_stack_dependency(storage)
    release.add_stack_dependency(training)
    release.add_stack_dependency(serving)
    ApiStack(app, f"{config.prefix}-api", sources=sources, **common)
    monitoring = MonitoringStack(app, f"{config.prefix}-monitoring", storage=storage, sources=sources, **common)
    # It reads the buckets' baselines, and tells the topic; everything else it knows by name.
    monitoring.add_stack_dependency(storage)
    monitoring.add_stack_dependency(training)

    for key, value in config.tags.items():
        Tags.of(app).add(key, value)


def add_checks(app: App) -> None:
    """Let synthesis fail on a cdk-nag finding that nobody has accepted; reasons go into the templates."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app, write_suppressions_to_cloud_formation=True))


def run(app: App) -> None:
    """Synthesise the environment that an app's context asks for.

    Raises:
        SystemExit: the context or the project isn't as it should be; with one line that says so, not a traceback.
    """
    try:
        build(app, load_config(app.node.try_get_context, os.environ), ProjectSources(root=ROOT))
    except StacksError as error:
        sys.exit(f"error: {error}")
    add_checks(app)
    app.synth()


if __name__ == "__main__":
    # Usage reporting would put a resource into every stack, the serving stack included.
    run(App(analytics_reporting=False))
