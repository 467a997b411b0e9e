"""The CDK app: configuration, then stacks, then checks. Makes no network call."""

import os
import sys
from pathlib import Path

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from stacks.api.stack import ApiStack
from stacks.common.project_sources import ProjectSources
from stacks.config.environment import Config, load_config
from stacks.delivery.stack import DeliveryStack
from stacks.errors import StacksError
from stacks.image.stack import ImageStack
from stacks.monitoring.stack import MonitoringStack
from stacks.release.stack import ReleaseStack
from stacks.serving.stack import ServingStack
from stacks.storage.stack import StorageStack
from stacks.training.stack import TrainingStack

ROOT = Path(__file__).resolve().parent


def build(app: App, config: Config, sources: ProjectSources) -> None:
    """Put the stacks of one environment into an app; `sources` holds the code that they deploy."""
    storage = StorageStack(app, config=config)
    image = ImageStack(app, config=config, sources=sources) if config.serving.container == "slim" else None
    training = TrainingStack(
        app, config=config, storage=storage, sources=sources, slim_tag=image.tag if image else None
    )
    if image:
        # The packages name the image by its tag alone.
        training.add_stack_dependency(image)
        # It imports the environment's own key, if there is one.
        image.add_stack_dependency(storage)
    # It imports the buckets by the names of their exports, a dependency that CDK does not see.
    training.add_stack_dependency(storage)
    serving = ServingStack(app, config=config)
    # The model's role, with its policy, has to exist before the model does; the role's name alone doesn't say so.
    serving.add_stack_dependency(training)
    release = ReleaseStack(app, config=config, storage=storage, sources=sources)
    # It knows the registry, the topic and the endpoint's stack by name.
    for needed in (storage, training, serving):
        release.add_stack_dependency(needed)
    api = ApiStack(app, config=config, storage=storage, sources=sources)
    # It reads the verdicts in the artifact bucket.
    api.add_stack_dependency(storage)
    monitoring = MonitoringStack(app, config=config, storage=storage, sources=sources)
    # It reads the buckets' baselines and writes to the topic; it knows everything else by name.
    monitoring.add_stack_dependency(storage)
    monitoring.add_stack_dependency(training)
    if config.delivery.repository:
        DeliveryStack(app, config=config)

    for key, value in config.tags.items():
        Tags.of(app).add(key, value)


def add_checks(app: App) -> None:
    """Let synthesis fail on a cdk-nag finding that nobody has accepted; reasons go into the templates."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app, write_suppressions_to_cloud_formation=True))


def run(app: App) -> None:
    """Synthesise the environment that an app's context asks for.

    Raises SystemExit: the context or the project is not usable; with one line that says why, not a traceback.
    """
    try:
        config = load_config(app.node.try_get_context, os.environ, app.node.get_all_context())
        build(app, config, ProjectSources(root=ROOT))
    except StacksError as error:
        sys.exit(f"error: {error}")
    add_checks(app)
    app.synth()


if __name__ == "__main__":
    # Usage reporting would put a resource into every stack, the serving stack included.
    run(App(analytics_reporting=False))
