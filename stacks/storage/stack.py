"""Storage: the buckets."""

from constructs import Construct

from stacks.common.project_stack import ProjectStack, add_outputs
from stacks.config.environment import Config
from stacks.storage.own_key import own_key
from stacks.storage.secure_bucket import secure_bucket

_ACCESS_LOG_DAYS = 90


class StorageStack(ProjectStack):
    """Buckets that outlive the other stacks.

    `data`: raw and collected data. `artifacts`: models and whatever else jobs write.
    """

    def __init__(self, scope: Construct, *, config: Config) -> None:
        """Create the buckets of one environment."""
        super().__init__(scope, "storage", config=config)
        logs = secure_bucket(self, "Logs", removable=config.removable, expire_after_days=_ACCESS_LOG_DAYS)
        key = None
        if config.own_key:
            key = own_key(Construct(self, "OwnKey"), names=self.names, removable=config.removable)
        self.data = secure_bucket(self, "Data", removable=config.removable, access_logs=logs, key=key)
        self.artifacts = secure_bucket(self, "Artifacts", removable=config.removable, access_logs=logs, key=key)
        add_outputs(self, {"DataBucket": self.data.bucket_name, "ArtifactsBucket": self.artifacts.bucket_name})
