"""Hooks of the official Hugging Face inference container: it imports this file and calls the two functions.

onnxruntime is not in that container. A copy for its Python may be vendored under `code/vendor/cp<XY>/`; without one
that matches, torch serves, and the log says so. Nothing is installed at start.

The container hands every exception to the caller as a 400, as if the request were to blame, and says that it is healthy
all the same. So none leaves these functions there: a model that cannot be loaded answers each request with a 500 that
says why.
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
"""What multi-model-server calls itself in its context."""


class Unloadable:
    """What the container keeps in place of a model that could not be loaded."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def use_vendored(code_dir: Path) -> Path | None:
    """Put `code_dir/vendor/cp<XY>/` on `sys.path` if it is there for this interpreter; the folder used."""
    folder = code_dir / "vendor" / f"cp{sys.version_info.major}{sys.version_info.minor}"
    if not folder.is_dir():
        return None
    if str(folder) not in sys.path:
        # Behind code/ itself and before the container's packages: the vendored version is the tested one.
        sys.path.insert(1, str(folder))
    return folder


def model_fn(model_dir: str, context: Any = None) -> Predictor | Unloadable:
    """Load the artifact; called once a worker.

    Raises what is wrong with it, except in the stock model server: see above.
    """
    logs.configure()
    try:
        return _load(model_dir)
    except Exception as error:  # a library that cannot be imported, too
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
    """One request body to the answer, in JSON, CSV or JSON Lines (`serving.formats`).

    The container's `context` lets the true status through, so that a caller can tell a bad request from a failing
    model.
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
