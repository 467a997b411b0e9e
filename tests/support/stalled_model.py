"""The process behind the local cloud's endpoint, found and stopped for a while."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def stopped_model(server: int) -> Iterator[None]:
    """While the block runs, the model's process below the local cloud's own does nothing."""
    model = model_process(server)
    os.kill(model, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(model, signal.SIGCONT)


def model_process(server: int) -> int:
    """Process id of the endpoint's model below the local cloud's own."""

    def children(pid: int) -> list[int]:
        found = [line for task in Path(f"/proc/{pid}/task").iterdir() for line in [(task / "children").read_text()]]
        return [int(child) for line in found for child in line.split()]

    below = [grandchild for child in children(server) for grandchild in children(child)]
    (model,) = (pid for pid in below if b"SAGEMAKER_BIND_TO_PORT" in Path(f"/proc/{pid}/environ").read_bytes())
    return model
