"""What a measurement ran on."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path
from typing import Any

TELLING = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8")
"""Flags of a processor that decide how fast it multiplies small integers."""


def machine() -> dict[str, Any]:
    """``cpu``, ``cores``, ``flags`` (those of ``TELLING`` that it has) and ``system``; without the machine's name."""
    info: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            info.setdefault(key.strip(), value.strip())
    return {
        "cpu": info.get("model name", platform.machine()),
        "cores": os.cpu_count(),
        "flags": [flag for flag in TELLING if flag in info.get("flags", "").split()],
        "system": f"{platform.system()} {platform.machine()}",
    }
