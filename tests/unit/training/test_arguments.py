"""The command line of train.py."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from classifier.errors import DataError, JobError
from classifier.job.arguments import parse_arguments
from classifier.job.hyperparameters import fields
from classifier.job.interruption import StopRequest
from classifier.job.processes import Processes
from train import run

TRAIN = Path(__file__).parents[3] / "training_job" / "train.py"


def test_folders_and_hyperparameters_are_told_apart() -> None:
    """Both come on one command line, in either spelling and with or without an equals sign."""
    arguments = parse_arguments(["--train", "data", "--model_dir=out", "--max_length", '"64"', "--epochs=3"])
    assert arguments.folders == {"train": "data", "model_dir": "out"}
    assert arguments.hyperparameters == {"max_length": '"64"', "epochs": "3"}


def test_an_underscore_in_a_value_stays() -> None:
    """Only names may be spelled both ways."""
    assert parse_arguments(["--base_model=package:my_model"]).hyperparameters == {"base_model": "package:my_model"}


def test_the_toolkits_options_are_ignored_with_their_values() -> None:
    """The container also passes its own hyperparameters."""
    argv = ["--sagemaker_program", "train.py", "--epochs", "2", "--sagemaker_region=eu-west-1"]
    assert parse_arguments(argv).hyperparameters == {"epochs": "2"}


def test_an_unknown_option_is_refused_with_the_nearest() -> None:
    """A typo on the command line causes neither a traceback nor a silent default."""
    with pytest.raises(JobError, match=r"no hyperparameter epoch\. Did you mean epochs\?"):
        parse_arguments(["--epoch", "3"])


@pytest.mark.parametrize("argv", [["--epochs"], ["stray"], ["--learning_rate", "-abc"]])
def test_a_command_line_that_cannot_be_read_is_refused(argv: list[str]) -> None:
    """A missing value or a stray word raises, so that the reason reaches the failure file."""
    with pytest.raises(JobError, match="cannot be read"):
        parse_arguments(argv)


def test_help_is_quick_and_names_every_hyperparameter() -> None:
    """`train.py --help` imports neither torch nor pandas, and lists every hyperparameter."""
    started = time.monotonic()
    shown = subprocess.run([sys.executable, TRAIN, "--help"], capture_output=True, text=True, check=True).stdout
    assert time.monotonic() - started < 3
    assert all(f"--{name.replace('_', '-')}" in shown for name in fields())


def test_reading_the_command_line_loads_no_heavy_library() -> None:
    """A refused value is refused before torch, transformers or pandas are imported."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import train; train.main(['--epochs', '0'], {});"
        "print(sorted({'torch', 'transformers', 'pandas', 'datasets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, TRAIN.parent], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert "epochs=0" in done.stderr


@pytest.mark.parametrize(("base_model", "warned"), [("owner/name", True), ("owner/name@0a1b", False), ("auto", False)])
def test_a_hub_model_without_a_revision_is_said(
    base_model: str, warned: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The job goes on, and its log says that whatever is newest is taken, and how to pin it."""
    argv = [f"--base_model={base_model}", f"--train={tmp_path}", f"--model_dir={tmp_path}"]
    with pytest.raises(DataError, match="no training data"):
        run(argv, {}, StopRequest(), Processes())
    assert ("owner/name@COMMIT pins it" in caplog.text) == warned
