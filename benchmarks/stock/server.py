"""One running stock server: started in a folder of its own, asked over HTTP, and ended with all its processes."""

import os
from collections.abc import Mapping
from pathlib import Path

from benchmarks.stock.environment import StockStack
from operations.sizing.server import Server

INSIDE = Path(__file__).resolve().parent / "inside"


class StockServer(Server):
    """multi-model-server with the Hugging Face toolkit around one artifact; a context manager.

    What it writes goes below `folder`, which is removed at the end: its configuration, logs, sockets and pid file.
    """

    stop_seconds = 3.0

    def __init__(
        self,
        stack: StockStack,
        artifact: Path,
        port: int,
        *,
        environ: Mapping[str, str] | None = None,
        core: int | None = None,
    ) -> None:
        """Start it.

        `environ`: what the image's user would set, such as HF_TASK. `core`: the only core it may use; None for all.
        """
        super().__init__(port)
        for name in ("tmp", "ml"):
            (self.folder / name).mkdir()
        (self.folder / "ml" / "model").symlink_to(artifact.resolve())
        environment = {
            "PATH": f"{stack.python.parent}:{os.environ['PATH']}",
            **dict.fromkeys(("TMPDIR", "TEMP"), str(self.folder / "tmp")),
            "PYTHONPATH": str(INSIDE),
            "STOCK_CONFIG": str(self.folder / "mms.properties"),
            "STOCK_HANDLER": stack.handler,
            "SAGEMAKER_BASE_DIR": str(self.folder / "ml"),
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
            "HF_HUB_OFFLINE": "1",
            **(environ or {}),
        }
        self._start([str(stack.python), str(INSIDE / "launch.py")], environment, core)
