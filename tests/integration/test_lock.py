"""requirements.lock serves every Python that set-up takes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from packaging.markers import Marker

from tools import setup

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_every_package_has_a_wheel_for_each_python(version: str, tmp_path: Path) -> None:
    """Uv finds a built wheel with a locked hash for every entry, on Linux with x86-64; nothing is installed."""
    packages = [entry for name, entry in setup.locked().items() if not setup.OF_TORCH.match(name)]
    (tmp_path / "locked.txt").write_text("\n".join(packages))
    command = [setup.UV, "pip", "install", "--dry-run", "--system-certs", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--target", tmp_path / "none", "--python-version", version]
    command += ["--python-platform", "x86_64-manylinux_2_28"]
    done = subprocess.run([*command, "-r", tmp_path / "locked.txt"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    markers = [entry.partition(" \\")[0].partition(" ; ")[2] for entry in packages]
    here = {"python_version": version, "python_full_version": f"{version}.9"}
    wanted = [marker for marker in markers if not marker or Marker(marker).evaluate(here)]
    assert done.stderr.count("\n + ") == len(wanted) > 250
