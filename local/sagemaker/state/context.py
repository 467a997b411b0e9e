"""What the parts of the service share."""

import threading

from local.sagemaker.common.settings import Settings
from local.sagemaker.common.surroundings import Surroundings
from local.sagemaker.state.artifacts import ArtifactCache
from local.sagemaker.state.outbox import Outbox
from local.sagemaker.state.store import Store
from local.sagemaker.state.tags import Tags


class Context:
    """Settings, the cloud around the service, and the stores and queues built on them."""

    def __init__(self, settings: Settings, surroundings: Surroundings) -> None:
        self.settings = settings
        self.surroundings = surroundings
        self.store = Store(settings.state_dir / "resources")
        self.tags = Tags(self.store)
        self.artifacts = ArtifactCache(settings.state_dir / "artifacts", surroundings)
        self.outbox = Outbox(surroundings)
        self.stopping = threading.Event()
        """Set once the service is stopping."""
