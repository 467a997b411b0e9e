"""Where the job's folders are, in a container and without one."""

import json
from pathlib import Path

import pytest

from classifier.errors import JobError
from classifier.job.environment import FAILURE_LIMIT, JobEnvironment, hyperparameters_file, write_failure


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A container's base directory with a train and a test channel."""
    for channel in ("train", "test"):
        (tmp_path / "base/input/data" / channel).mkdir(parents=True)
    return tmp_path / "base"


def test_the_containers_variables_say_where_everything_is(base: Path, tmp_path: Path) -> None:
    """SM_* variables take precedence over the default folders of the base directory."""
    elsewhere = tmp_path / "channel"
    elsewhere.mkdir()
    environ = {
        "SAGEMAKER_BASE_DIR": str(base),
        "SM_CHANNEL_TRAIN": str(elsewhere),
        "SM_MODEL_DIR": str(tmp_path / "model"),
        "SM_OUTPUT_DATA_DIR": str(tmp_path / "data"),
    }
    job = JobEnvironment.resolve({}, environ)
    assert (job.train, job.model_dir, job.output_data_dir) == (elsewhere, tmp_path / "model", tmp_path / "data")


def test_the_base_directory_alone_is_enough(base: Path) -> None:
    """Channels, model, output and checkpoints have their places below the base directory."""
    job = JobEnvironment.resolve({}, {"SAGEMAKER_BASE_DIR": str(base)})
    assert job == JobEnvironment(
        train=base / "input/data/train",
        test=base / "input/data/test",
        model_dir=base / "model",
        output_data_dir=base / "output/data",
        checkpoint_dir=base / "checkpoints",
        managed=True,
    )


def test_the_command_line_wins(base: Path, tmp_path: Path) -> None:
    """A folder on the command line takes precedence over the environment's."""
    job = JobEnvironment.resolve({"model_dir": str(tmp_path / "mine")}, {"SAGEMAKER_BASE_DIR": str(base)})
    assert job.model_dir == tmp_path / "mine"


def test_without_a_container_output_goes_beside_the_model(tmp_path: Path) -> None:
    """Two paths are enough on a bare machine; nothing else is written into the model folder."""
    (tmp_path / "train.json").touch()
    job = JobEnvironment.resolve({"train": str(tmp_path / "train.json"), "model_dir": str(tmp_path / "out")}, {})
    assert job.test is None
    assert (job.output_data_dir, job.checkpoint_dir) == (tmp_path / "out-output", tmp_path / "out-checkpoints")


@pytest.mark.parametrize(
    ("folders", "role"),
    [
        ({}, "train"),
        ({"train": "."}, "model-dir"),
        ({"train": "missing", "model_dir": "out"}, "train"),
        ({"train": ".", "test": "missing", "model_dir": "out"}, "test"),
        ({"train": ".", "model_dir": "out", "checkpoint_dir": "out/checkpoints"}, "checkpoint-dir"),
    ],
)
def test_a_folder_that_cannot_be_is_refused(folders: dict[str, str], role: str) -> None:
    """The error names the folder that is missing, not there or in the wrong place."""
    with pytest.raises(JobError, match=f"--{role}") as caught:
        JobEnvironment.resolve(folders, {})
    assert caught.value.hint


def test_a_model_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    """A mistyped --model-dir must not delete anybody's files."""
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(JobError, match="not touched"):
        JobEnvironment.resolve({"train": str(tmp_path), "model_dir": str(tmp_path)}, {})


def test_an_earlier_model_may_be_replaced(tmp_path: Path) -> None:
    """A second run into the same folder is allowed."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "evaluation.json").touch()
    assert JobEnvironment.resolve({"train": str(tmp_path), "model_dir": str(out)}, {}).model_dir == out


def test_the_failure_reason_is_written_where_the_platform_looks(base: Path) -> None:
    """The reason goes to `output/failure` below the base directory, truncated to what SageMaker keeps."""
    write_failure("x" * 5000, {"SAGEMAKER_BASE_DIR": str(base)})
    assert (base / "output/failure").read_text() == "x" * FAILURE_LIMIT


def test_hyperparameters_are_read_from_the_containers_file(base: Path) -> None:
    """They also apply when the script starts without a command line."""
    (base / "input/config").mkdir()
    (base / "input/config/hyperparameters.json").write_text(json.dumps({"epochs": '"3"'}))
    assert hyperparameters_file({"SAGEMAKER_BASE_DIR": str(base)}) == {"epochs": '"3"'}


def test_no_container_means_no_hyperparameter_file() -> None:
    """Outside of a container there is no such file, which is not an error."""
    assert hyperparameters_file({"SAGEMAKER_BASE_DIR": "/nowhere"}) == {}
