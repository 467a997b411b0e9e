"""What a cold start of the predict Lambda costs: the import of its handler, and the size of its package."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import predict

FOLDER = Path(predict.__file__).parent


def test_the_package_is_small(tmp_path: Path) -> None:
    """Zipped it stays under 100 KB, pages and contract included."""
    copy = shutil.copytree(FOLDER, tmp_path / "predict", ignore=shutil.ignore_patterns("__pycache__"))
    assert Path(shutil.make_archive(str(tmp_path / "zipped"), "zip", copy)).stat().st_size < 100 * 1024


@pytest.mark.parametrize("module", ["aws_lambda_powertools.event_handler", "fastjsonschema", "requests", "tools"])
def test_the_handler_loads_nothing_that_it_does_not_need(module: str) -> None:
    """Starting leaves out what is slow to import and needed by few requests, or by none."""
    program = f"import sys, predict.handler; sys.exit({module!r} in sys.modules)"
    environment = {
        "PYTHONPATH": f"{FOLDER.parent}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "ENDPOINT_NAME": "none",
    }
    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 0
