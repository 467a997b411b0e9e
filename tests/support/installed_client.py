"""The client, installed into an environment of its own without a network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def install(what: Path, folder: Path) -> Path:
    """`pip install` of a source folder, an sdist or a wheel into a new environment below `folder`; its `bin` folder.

    What the package depends on comes from this project's environment.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")], check=True)
    site = next((folder / "env" / "lib").glob("python*/site-packages"))
    (site / "dependencies.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    python = folder / "env" / "bin" / "python"
    command = [python, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, "--disable-pip-version-check", what], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return python.parent
