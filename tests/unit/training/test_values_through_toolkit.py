"""Hyperparameters on their way through AWS's own start-up code, the version with a shell and the one without."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import training_image
from classifier.job.hyperparameter_rules import LONGEST, decoded, encoded

pytestmark = pytest.mark.integration  # real models

BUILD = Path(__file__).resolve().parents[3] / "build"
NASTY = [
    "",
    " ",
    "not helpful,helpful",
    "a&b",
    "$(touch run)",
    "`touch run`",
    '"q"',
    "'",
    "a\nb",
    "é",
]
VALUES = st.one_of(
    st.sampled_from(NASTY), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
)
SCRIPT = """
import json, os, pathlib
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
(base / "seen.json").write_text(json.dumps(json.loads((base / "input/config/hyperparameters.json").read_text())))
"""


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(["a_b", "label_names", "text_column"]), VALUES))
@example({"label_names": "percent:x", "a_b": "é" * LONGEST})
def test_encoding_is_undone(values: dict[str, str]) -> None:
    """What `decoded` returns is what was written, in pieces that SageMaker takes and no shell changes."""
    sent = encoded(values)
    assert all(1 <= len(piece) <= LONGEST for piece in sent.values())
    assert set("".join(sent.values())) <= set("%@+=:,./-_") | {chr(n) for n in range(128) if chr(n).isalnum()}
    assert decoded(sent) == values


def test_plain_values_stay_readable() -> None:
    """Ordinary values are sent as they were typed."""
    assert encoded({"epochs": "3", "label_names": "a,b"}) == {"epochs": "3", "label_names": "a,b"}


@pytest.mark.parametrize("toolkit", ["toolkit", "toolkit-5.1.2"])
def test_values_arrive_and_nothing_is_executed(toolkit: str) -> None:
    """Through either generation of the toolkit, every value reaches the script as written and no part of it is run."""
    if not (BUILD / toolkit).is_dir():
        pytest.skip(f"build/{toolkit} is missing; make setup unpacks it")

    @settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(VALUES, min_size=10, max_size=30))
    @example([*NASTY, "é" * LONGEST])
    def arrive(texts: list[str]) -> None:
        values = {f"value{number}": text for number, text in enumerate(texts)}
        with TemporaryDirectory() as folder:
            base = Path(folder)
            for name in ("code", "input/config", "model", "output/data"):
                (base / name).mkdir(parents=True)
            (base / "code" / "train.py").write_text(SCRIPT)
            source = {"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://b/code.tar.gz"}
            host = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "lo"}
            config = {"hyperparameters": encoded(values) | source, "inputdataconfig": {}, "resourceconfig": host}
            for name, content in config.items():
                (base / "input" / "config" / f"{name}.json").write_text(json.dumps(content))
            environment = {
                **training_image.environment(base),
                "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
                "PYTHONPATH": f"{base / 'brought'}:{BUILD / toolkit}:{BUILD / 'toolkit'}",
                "SAGEMAKER_BASE_DIR": str(base),
                "SM_STUDIO_LOCAL_MODE": "true",
                "AWS_DEFAULT_REGION": "us-east-1",
                "LC_ALL": "C.UTF-8",
            }
            command = [sys.executable, "-m", "sagemaker_training.cli.train"]
            done = subprocess.run(command, env=environment, cwd=base, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
            seen = decoded(json.loads((base / "seen.json").read_text()))
            assert {name: seen[name] for name in values} == values
            assert {path.name for path in (base / "code").iterdir()} <= {"train.py", "__pycache__"}
            assert not list(base.rglob("run"))

    arrive()
