"""The process around the job: plain log lines, and libraries that speak only when something is wrong."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_SPEAKERS = ("train", "classifier")


@contextmanager
def plain_logging() -> Iterator[None]:
    """For the block, sends what the job says to stdout as it is (CloudWatch adds the time), problems to stderr."""
    out, err = logging.StreamHandler(sys.stdout), logging.StreamHandler(sys.stderr)
    out.addFilter(lambda record: record.levelno < logging.WARNING)
    err.setLevel(logging.WARNING)
    err.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    root = logging.getLogger()
    before = root.handlers[:]
    root.handlers[:] = [out, err]
    for name in _SPEAKERS:
        logging.getLogger(name).setLevel(logging.INFO)
    try:
        yield
    finally:
        root.handlers[:] = before


def only_problems() -> None:
    """From here on this process says only what is wrong: of several processes one tells how the job goes."""
    for name in _SPEAKERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def prepare_environment() -> None:
    """Sets the variables that libraries look at when they are imported: call it before."""
    # onnxruntime otherwise reports its use to its maker, and keeps a device number in the home directory.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    # Threads that wait sleep rather than spin: as fast on an idle machine, far faster on one that has other work too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    # Training by several processes is told here that all of its parameters are in use, once a process.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")


def prepare_libraries() -> None:
    """Turns off what libraries do besides their work."""
    import datasets
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    datasets.disable_progress_bars()
    # The exporter's own deprecation and accelerate's hint about pinned memory are not for whoever trains.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"transformers|torch|accelerate")
