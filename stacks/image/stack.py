"""Image: the slim serving image. Exists where `serving.container` is `slim`.

It is a stack of its own: the image has to exist before the model packages that name its tag, and the repository
outlives a change of the configuration, because older packages name images in it.
"""

from constructs import Construct

from stacks.common.project_sources import ProjectSources
from stacks.common.project_stack import ProjectStack, add_outputs
from stacks.common.python_function import FunctionSetup
from stacks.config.environment import Config
from stacks.image.build import build_image
from stacks.image.repository import image_repository


class ImageStack(ProjectStack):
    """Repository and build of the slim serving image of one environment."""

    def __init__(self, scope: Construct, *, config: Config, sources: ProjectSources) -> None:
        """Create repository and build."""
        super().__init__(scope, "image", config=config)
        repository = image_repository(
            Construct(self, "Images"), name=self.names.image_repository, removable=config.removable
        )
        setup = FunctionSetup(names=self.names, sources=sources, logs=self.logs, layer=None)
        self.tag = build_image(Construct(self, "Serving"), setup=setup, repository=repository)
        add_outputs(self, {"ServingImage": repository.repository_uri_for_tag(self.tag)})
