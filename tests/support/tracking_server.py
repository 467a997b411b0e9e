"""MLflow's own server in a process of its own: prints its port, then method and path of each call.

A script: `python tracking_server.py FOLDER`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any


def main(folder: str) -> None:
    """Serve a store in FOLDER until the process ends."""
    os.environ["_MLFLOW_SERVER_FILE_STORE"] = f"sqlite:///{folder}/server.db"
    os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"] = folder
    from mlflow.server import app
    from werkzeug.serving import make_server

    def told(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        print(environ["REQUEST_METHOD"], environ["PATH_INFO"], flush=True)
        return app(environ, start)

    server = make_server("127.0.0.1", 0, told, threaded=True)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
