"""Which arithmetic training runs in on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Precision = Literal["fp32", "bf16", "fp16"]

_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Processors that multiply in bfloat16: AMD from Zen 4, Intel from Cooper Lake, Arm from Graviton3. It doubles the
speed there; elsewhere bfloat16 is emulated and slower than float32."""


def choose_precision(wanted: str, *, cpu_flags: frozenset[str] | None = None) -> Precision:
    """The arithmetic to train in: ``wanted``, or for ``auto`` the fastest one that the hardware computes in.

    Args:
        wanted: ``auto``, ``fp32``, ``bf16`` or ``fp16``.
        cpu_flags: features of the processor; read from the system if not given.
    """
    import torch

    if torch.cuda.is_available():
        if wanted != "auto":
            return wanted  # type: ignore[return-value]
        return "bf16" if torch.cuda.get_device_capability()[0] >= 8 else "fp16"
    if wanted == "fp16":
        return "fp32"  # no processor trains in it
    if wanted != "auto":
        return wanted  # type: ignore[return-value]
    flags = read_cpu_flags() if cpu_flags is None else cpu_flags
    return "bf16" if flags & _BF16_FLAGS else "fp32"


def read_cpu_flags(path: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """The processor's features as Linux names them; empty on another system."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()
