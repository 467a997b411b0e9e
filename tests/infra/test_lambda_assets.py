"""What is deployed as a Lambda works with nothing but itself, its layer's packages and the runtime's boto3."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Assemblies


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("launch", "launch.handler"),
        ("ingest", "ingest.handler"),
        ("gate-keep", "gate.keep"),
        ("gate-plan", "gate.plan"),
        ("gate-judge", "gate.judge"),
        ("smoke-test", "smoke_test.handler"),
        ("predict", "predict.handler"),
        ("drift", "drift.handler"),
        ("registry", "registry_cleanup.handler"),
    ],
)
def test_staged_code_imports_on_its_own(assemblies: Assemblies, name: str, module: str) -> None:
    """The handler imports without the rest of the project (and without torch, pandas or transformers)."""
    folder = assemblies.folder / "dev" / "staged" / f"text-classifier-dev-{name}"
    # Isolated mode: neither the working folder nor PYTHONPATH helps out.
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "for heavy in ('torch', 'pandas', 'transformers', 'datasets', 'numpy'): sys.modules[heavy] = None\n"
        f"import {module} as handler\n"
        "assert callable(handler.handler) and handler.__file__.startswith(sys.argv[1])\n"
        f"ours = ('classifier', '{module.partition('.')[0]}')\n"
        "strays = [m.__file__ for n, m in sys.modules.items() if n.split('.')[0] in ours\n"
        "          and getattr(m, '__file__', None) and not m.__file__.startswith(sys.argv[1])]\n"
        "assert not strays, strays\n"
    )
    environment = {"AWS_DEFAULT_REGION": "us-east-1", "POWERTOOLS_SERVICE_NAME": "test", "ENDPOINT_NAME": "x"}
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(folder)], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr


def test_ingest_carries_the_bundled_data(assemblies: Assemblies) -> None:
    """The data set that may stand in lies where the ingest function looks for it."""
    folder = assemblies.folder / "dev" / "staged" / "text-classifier-dev-ingest"
    assert {"train.json", "test.json"} <= {path.name for path in (folder / "data").iterdir()}
