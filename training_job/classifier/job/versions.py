"""Versions of what shaped the result."""

from __future__ import annotations

import importlib.metadata
import platform

LIBRARIES = (
    "torch",
    "transformers",
    "datasets",
    "evaluate",
    "accelerate",
    "tokenizers",
    "onnx",
    "onnxruntime",
    "numpy",
)


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that shape the result."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
