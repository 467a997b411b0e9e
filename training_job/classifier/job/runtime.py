"""The process's log, and the switches of the libraries."""

import gc
import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from classifier.errors import JobError

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
    # The libraries' objects stay: a collection each 700 new ones took a quarter of the imports' time.
    gc.set_threshold(50_000, 20, 100)


def prepare_libraries() -> None:
    """Turn off the libraries' progress bars and notes."""
    import datasets
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    datasets.disable_progress_bars()
    # The exporter's deprecation notice and accelerate's hint about pinned memory do not concern the person who trains.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"transformers|torch|accelerate")


def check_gpu(environ: Mapping[str, str]) -> None:
    """Refuse a GPU that torch cannot use: the job would train on the CPU, at the GPU's price, past its time limit.

    A GPU counts by `SM_NUM_GPUS`, or in AWS's container by the instance type, because a broken driver reports none. A
    CPU build of torch was chosen by whoever installed it. Raises JobError, with torch's own reason.
    """
    import torch

    on_aws = not environ.get("SAGEMAKER_BASE_DIR")
    instance = environ.get("SM_CURRENT_INSTANCE_TYPE", "") if on_aws else ""
    gpu = environ.get("SM_NUM_GPUS", "0") != "0" or re.match(r"ml\.[gp]\d", instance)
    if not gpu or torch.version.cuda is None or torch.cuda.is_available():
        return
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
        reason = "no device was found"
    except (RuntimeError, AssertionError) as e:
        reason = str(e).strip().splitlines()[0]
    raise JobError(
        f"This instance ({instance or 'with a GPU'}) has a GPU that torch {torch.__version__} cannot use: {reason}",
        hint="Start the job again, which may give another machine; else take another GPU instance type, or a CPU one "
        "such as ml.m5.xlarge on purpose.",
    )
