"""Choose the arithmetic of training on this machine. `make doctor` reads it without torch, in old Pythons, too."""

from __future__ import annotations

from pathlib import Path

BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Features of CPUs that multiply in bfloat16: AMD from Zen 4, Intel from Cooper Lake, Arm from Graviton3. It doubles
their speed; on other CPUs bfloat16 is emulated and slower than float32."""


def choose_precision(wanted: str, *, cpu_flags: frozenset[str] | None = None) -> str:
    """Return `wanted`, or for `auto` the fastest arithmetic that the hardware supports: `fp32`, `bf16` or `fp16`.

    On a CPU `fp16` becomes `fp32`. `cpu_flags` are the CPU's features, by default those of this machine.
    """
    import torch

    if torch.cuda.is_available():
        automatic = "bf16" if torch.cuda.get_device_capability()[0] >= 8 else "fp16"
        return automatic if wanted == "auto" else wanted
    if wanted == "auto":
        flags = read_cpu_flags() if cpu_flags is None else cpu_flags
        return "bf16" if flags & BF16_FLAGS else "fp32"
    return "fp32" if wanted == "fp16" else wanted


def read_cpu_flags(path: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Return the CPU's features as Linux names them; none on another system."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()
