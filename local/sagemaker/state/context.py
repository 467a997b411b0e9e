"""What the parts of the service share."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from local.sagemaker.common.hooks import Hooks
from local.sagemaker.common.settings import Settings
from local.sagemaker.state.artifacts import ArtifactCache
from local.sagemaker.state.outbox import Outbox
from local.sagemaker.state.store import Store
from local.sagemaker.state.tags import Tags


@dataclass(frozen=True)
class Context:
    """Settings, the surrounding cloud, records, artifacts, and the flag that says that the service is going down."""

    settings: Settings
    hooks: Hooks
    store: Store
    outbox: Outbox
    tags: Tags
    artifacts: ArtifactCache
    stopping: threading.Event = field(default_factory=threading.Event)


def build_context(settings: Settings, hooks: Hooks) -> Context:
    """Wire the shared parts together."""
    store = Store(settings.state_dir / "resources")
    artifacts = ArtifactCache(settings.state_dir / "artifacts", hooks)
    outbox, tags = Outbox(hooks), Tags(store)
    return Context(settings=settings, hooks=hooks, store=store, outbox=outbox, tags=tags, artifacts=artifacts)
