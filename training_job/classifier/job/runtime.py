"""The process's log, and the switches of the libraries."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_OUR_LOGGERS = ("train", "classifier")


@contextmanager
def plain_logging() -> Iterator[None]:
    """Log to stdout without a prefix (CloudWatch adds the time), and warnings and errors to stderr, for the block."""
    out, err = logging.StreamHandler(sys.stdout), logging.StreamHandler(sys.stderr)
    out.addFilter(lambda record: record.levelno < logging.WARNING)
    err.setLevel(logging.WARNING)
    err.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    root = logging.getLogger()
    before = root.handlers[:]
    root.handlers[:] = [out, err]
    _set_level(logging.INFO)
    try:
        yield
    finally:
        root.handlers[:] = before


def log_problems_only() -> None:
    """Log warnings and errors only from now on. Of several processes, only the main one reports progress."""
    _set_level(logging.WARNING)


def _set_level(level: int) -> None:
    for name in _OUR_LOGGERS:
        logging.getLogger(name).setLevel(level)


def prepare_environment() -> None:
    """Set the variables that libraries read on import. Call it before importing them."""
    defaults = {
        # onnxruntime would report its use to its maker and keep a device number in the home directory.
        "ORT_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        # Waiting threads sleep instead of spinning: as fast on an idle machine, and far faster on a busy one.
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "true",
        # Distributed training would warn in each process that all parameters are in use.
        "TORCH_CPP_LOG_LEVEL": "ERROR",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def prepare_libraries() -> None:
    """Turn off the libraries' progress bars and notes."""
    import datasets
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    datasets.disable_progress_bars()
    # The exporter's deprecation notice and accelerate's hint about pinned memory do not concern the person who trains.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"transformers|torch|accelerate")
