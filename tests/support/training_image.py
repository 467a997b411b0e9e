"""What a tiny training image sets: AWS's toolkit, and a torch of one line, so that no job waits for the real one.

Nor for paramiko, which the toolkit loads for MPI alone.
"""

from __future__ import annotations

from pathlib import Path

TOOLKIT = Path(__file__).resolve().parents[2] / "build" / "toolkit"
MODULE = "sagemaker_pytorch_container.training:main"


def environment(folder: Path) -> dict[str, str]:
    """Return the image's variables. The torch is written into `folder`; the toolkit asks for its version alone."""
    brought = folder / "brought"
    brought.mkdir(exist_ok=True)
    (brought / "torch.py").write_text("__version__ = '0'\n")
    (brought / "paramiko.py").touch()
    return {
        "PYTHONPATH": f"{brought}:{TOOLKIT}",
        "SAGEMAKER_TRAINING_MODULE": MODULE,
    }
