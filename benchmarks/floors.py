"""How fast one core could answer at best: its int8 peak, its memory bandwidth, and what a network needs of both.

    python benchmarks/floors.py

prints the peak of this process, in operations a second; `peaks` starts it anew for each set of instructions.
"""

import os
import subprocess
import sys
import timeit
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PEAK_SIDE = 1024
"""Side of the square matrices whose int8 product measures the peak: they fit into the second-level cache."""

PEAK_ROUNDS, READ_ROUNDS = 30, 200
"""The best round counts: other work on the machine only slows a round down."""

WITH_AMX, WITHOUT_AMX = "AMX", "without AMX"
"""Names of the peaks; a processor without AMX has the second alone."""

NO_AMX = {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI"}
"""Keeps oneDNN from using AMX."""


@dataclass(frozen=True)
class Work:
    """What a network computes and reads for one text."""

    whole: float
    """Operations (two for each multiplication) of the whole encoder, as such figures are usually given."""
    executed: float
    """Those that are computed: after the last attention only the first token's."""
    weight_bytes: int
    """Of the products' int8 weights; each is read once for a text."""


def work(config: Any, tokens: int) -> Work:
    """Count the work of an encoder with a pooler and two labels for `tokens` tokens, with all weights in int8.

    `config`: of transformers; `num_hidden_layers`, `hidden_size` and `intermediate_size` are read. `tokens`: of the
    text.
    """
    layers, width, inner = config.num_hidden_layers, config.hidden_size, config.intermediate_size
    weights = 4 * width * width + 2 * width * inner
    layer = 2 * tokens * (weights + 2 * tokens * width)
    # Queries, keys and values of every token; one query against all keys; the rest for the first token.
    last = 2 * (tokens * 3 * width * width + 2 * tokens * width + width * width + 2 * width * inner)
    head = width * width + 2 * width
    return Work(float(layers * layer), float((layers - 1) * layer + last + 2 * head), layers * weights + head)


def floors(asked: Work, peaks: dict[str, float], bandwidth: float) -> dict[str, Any]:
    """Return the shortest times for one text in ms; `peaks` in operations and `bandwidth` in bytes a second.

    `arithmetic` with each peak, `memory` for reading the weights, and `roofline`: the longer of the fastest arithmetic
    and the reading.
    """
    arithmetic = {name: 1e3 * asked.executed / peak for name, peak in peaks.items()}
    memory = 1e3 * asked.weight_bytes / bandwidth
    return {"arithmetic": arithmetic, "memory": memory, "roofline": max(min(arithmetic.values()), memory)}


def peaks(flags: list[str]) -> dict[str, float]:
    """Measure the int8 peak of one thread in operations a second, with AMX and without; each in its own process."""
    limits: dict[str, dict[str, str]] = {WITH_AMX: {}} if "amx_int8" in flags else {}
    limits[WITHOUT_AMX] = NO_AMX if limits else {}
    return {name: _peak_of_process(limit) for name, limit in limits.items()}


def _peak_of_process(limit: dict[str, str]) -> float:
    environ = {name: value for name, value in os.environ.items() if name not in NO_AMX}
    command = [sys.executable, str(Path(__file__).resolve())]
    found = subprocess.run(
        command, env={**environ, **limit, "OMP_NUM_THREADS": "1"}, check=True, capture_output=True, text=True
    )
    return float(found.stdout)


def int8_peak() -> float:
    """Measure this thread's operations a second (two a multiplication) in a large int8 product of torch's oneDNN."""
    import warnings

    import torch

    torch.set_num_threads(1)
    torch.backends.quantized.engine = "onednn"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        linear: Any = torch.ao.nn.quantized.Linear
        product = linear(PEAK_SIDE, PEAK_SIDE)
        numbers = torch.quantize_per_tensor(torch.randn(PEAK_SIDE, PEAK_SIDE), 0.1, 128, torch.quint8)
    return 2 * PEAK_SIDE**3 / min(timeit.repeat(lambda: product(numbers), number=1, repeat=PEAK_ROUNDS))


def read_bandwidth(size: int) -> float:
    """Measure the bytes a second with which one thread reads `size` bytes: numpy's dot product of both halves."""
    import numpy as np

    first, second = np.ones((2, max(1, size // 8)), dtype=np.float32)
    seconds = min(timeit.repeat(lambda: np.dot(first, second), number=1, repeat=READ_ROUNDS))
    return (first.nbytes + second.nbytes) / seconds


if __name__ == "__main__":
    print(int8_peak())
