"""Functions that the official Hugging Face inference container imports from this file and calls.

The container lacks onnxruntime. The artifact may have a copy for the container's Python in `code/vendor/cp<XY>/`. If it
has none that matches, torch serves, and the log says so. Nothing is installed at start.

The container returns every exception to the caller as a 400, as if the request were wrong, and stays healthy. So these
functions raise none there: if the model cannot be loaded, each request is answered with a 500 that says why.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving import logs
from serving.answer import answer, error_answer
from serving.errors import ServingError

if TYPE_CHECKING:
    from serving.predictor import Predictor

logger = logging.getLogger("serving")

STOCK_SERVER = "MMS"
"""Name of multi-model-server in its context."""


class Unloadable:
    """Stands in for a model that could not be loaded."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def use_vendored(code_dir: Path) -> Path | None:
    """Add `code_dir/vendor/cp<XY>/` to `sys.path` if it exists for this interpreter; return the folder."""
    folder = code_dir / "vendor" / f"cp{sys.version_info.major}{sys.version_info.minor}"
    if not folder.is_dir():
        return None
    if str(folder) not in sys.path:
        # After code/ and before the container's packages, because the vendored version is the tested one.
        sys.path.insert(1, str(folder))
    return folder


def model_fn(model_dir: str, context: Any = None) -> Predictor | Unloadable:
    """Load the artifact; called once in each worker. Raises its errors except in the stock model server."""
    logs.configure()
    try:
        return _load(model_dir)
    except Exception as error:  # also a library that cannot be imported
        if not _serves_in_stock_server(context):
            raise
        logger.exception("the model cannot be loaded")
        return Unloadable(str(error) if isinstance(error, ServingError) else type(error).__name__)


def transform_fn(
    predictor: Predictor | Unloadable,
    input_data: bytes | bytearray | str,
    content_type: str,
    accept: str,
    context: Any = None,
) -> str:
    """Answer one request body in JSON, CSV or JSON Lines (`serving.formats`).

    The status goes into the container's `context`, so that callers can tell a bad request from a failing model.
    """
    if isinstance(predictor, Unloadable):
        result = error_answer(500, "model_error", f"the model cannot be loaded: {predictor.reason}")
    else:
        version = os.environ.get("MODEL_VERSION") or None
        result = answer(predictor, input_data, version=version, content_type=content_type, accept=accept)
    if context is not None:
        context.set_response_status(code=result.status, idx=0)
    return result.body.decode()


def _load(model_dir: str) -> Predictor:
    vendored = use_vendored(Path(__file__).resolve().parent)
    from serving.predictor import load_predictor

    predictor = load_predictor(model_dir, threads=int(os.environ.get("SERVING_INTRA_OP_THREADS", "1")))
    facts = {"backend": predictor.backend.name, "vendored": str(vendored) if vendored else None}
    logger.info("ready", extra={"facts": facts})
    return predictor


def _serves_in_stock_server(context: Any) -> bool:
    return context is not None and context.system_properties.get("server_name") == STOCK_SERVER
