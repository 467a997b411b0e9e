"""Hooks of the official Hugging Face inference container: it imports this file and calls the two functions.

onnxruntime is not in that container. A copy for its Python may be vendored under `code/vendor/cp<XY>/`; without one
that matches, torch serves, and the log says so.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

from serving import logs
from serving.answer import answer
from serving.predictor import Predictor, load_predictor

logger = logging.getLogger("serving")


def use_vendored(code_dir: Path) -> Path | None:
    """Put `code_dir/vendor/cp<XY>/` on `sys.path` if it is there for this interpreter; the folder used."""
    folder = code_dir / "vendor" / f"cp{sys.version_info.major}{sys.version_info.minor}"
    if not folder.is_dir():
        return None
    if str(folder) not in sys.path:
        # Behind code/ itself and before the container's packages: the vendored version is the tested one.
        sys.path.insert(1, str(folder))
    return folder


def model_fn(model_dir: str, context: Any = None) -> Predictor:
    """Load the artifact; called once a worker. `context` is the container's and not used."""
    logs.configure()
    vendored = use_vendored(Path(__file__).resolve().parent)
    predictor = load_predictor(model_dir, threads=int(os.environ.get("SERVING_INTRA_OP_THREADS", "1")))
    facts = {"backend": predictor.backend.name, "vendored": str(vendored) if vendored else None}
    logger.info("ready", extra={"facts": facts})
    return predictor


def transform_fn(
    predictor: Predictor, input_data: bytes | bytearray | str, content_type: str, accept: str, context: Any = None
) -> str:
    """One request body to the JSON answer.

    The container turns every exception into a 400. Its `context` lets the true status through, so that a caller can
    tell a bad request from a failing model.
    """
    result = answer(predictor, input_data, version=os.environ.get("MODEL_VERSION") or None)
    if context is not None:
        context.set_response_status(code=result.status, idx=0)
    return result.body.decode()
