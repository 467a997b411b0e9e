"""One running stock server: started in a folder of its own, asked over HTTP, and ended with all its processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.stock.environment import StockStack
from operations.sizing.server import keep_to

INSIDE = Path(__file__).resolve().parent / "inside"
STOP_SECONDS = 3.0


class StockServer:
    """multi-model-server with the Hugging Face toolkit around one artifact; a context manager.

    What it writes goes below `folder`, which is removed at the end: its configuration, logs, sockets and pid file.
    """

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

        Args:
            stack: the installed stack.
            artifact: the unpacked `model.tar.gz`.
            port: a free port of 127.0.0.1.
            environ: what the image's user would set, such as HF_TASK.
            core: the only core that it may use; None for all.
        """
        # A short path: the name of the server's socket below it may have 108 characters.
        self.folder = Path(tempfile.mkdtemp(prefix="stock-"))
        self.log = self.folder / "log"
        self.port = port
        (self.folder / "tmp").mkdir()
        (self.folder / "ml").mkdir()
        (self.folder / "ml" / "model").symlink_to(artifact.resolve())
        temporary = str(self.folder / "tmp")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(stack.python), str(INSIDE / "launch.py")],
                cwd=self.folder,
                env={
                    "PATH": f"{stack.python.parent}:{os.environ['PATH']}",
                    "HOME": str(self.folder),
                    "TMPDIR": temporary,
                    "TEMP": temporary,
                    "PYTHONPATH": str(INSIDE),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "STOCK_CONFIG": str(self.folder / "mms.properties"),
                    "STOCK_HANDLER": stack.handler,
                    "SAGEMAKER_BASE_DIR": str(self.folder / "ml"),
                    "SAGEMAKER_BIND_TO_PORT": str(port),
                    "SAGEMAKER_PROGRAM": "inference.py",
                    "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
                    "HF_HUB_OFFLINE": "1",
                    **(environ or {}),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        keep_to(core, self.process.pid)

    def __enter__(self) -> StockServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it and its workers, which outlive a SIGTERM of the server, and remove its folder."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + STOP_SECONDS
            try:
                os.killpg(self.process.pid, number)
                while time.monotonic() < deadline:
                    self.process.poll()
                    os.killpg(self.process.pid, 0)
                    time.sleep(0.05)
            except ProcessLookupError:
                break
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
