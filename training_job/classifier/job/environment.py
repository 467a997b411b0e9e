"""The job's folders: the contract of the SageMaker training container, and the same on any other machine.

The contract: channels in `SM_CHANNEL_<NAME>`, the model in `SM_MODEL_DIR`, other output in `SM_OUTPUT_DATA_DIR`;
checkpoints and the failure reason below the base directory, which is `SAGEMAKER_BASE_DIR` or `/opt/ml`. A folder on the
command line takes precedence.
"""

import json
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from classifier.errors import JobError
from classifier.job.hyperparameter_rules import unquote

DEFAULT_BASE = "/opt/ml"
FAILURE_LIMIT = 1024
"""Characters of a failure reason that SageMaker keeps (`FailureReason` of DescribeTrainingJob)."""


@dataclass(frozen=True)
class JobEnvironment:
    """The folders of one training job; `train` and `test` may be files. `managed`: the platform owns them.

    `model_dir` becomes `model.tar.gz` and is written at the very end, in one go; `output_data_dir` becomes
    `output.tar.gz`: metrics, loss curve, test rows, quarantined rows.
    """

    train: Path
    test: Path | None
    model_dir: Path
    output_data_dir: Path
    checkpoint_dir: Path
    managed: bool

    @classmethod
    def resolve(cls, folders: Mapping[str, str], environ: Mapping[str, str]) -> Self:
        """Find the folders: on the command line, else in the environment, else below an existing base directory.

        `folders`: `train`, `test`, `model_dir`, `output_data_dir`, `checkpoint_dir`, where given. Raises JobError: a
        required folder is not named, a channel does not exist, or the model folder is in use.
        """
        base = base_directory(environ)

        def find(name: str, variable: str, below_base: str) -> Path | None:
            given = folders.get(name) or environ.get(variable)
            if given:
                return Path(given)
            return base / below_base if base else None

        train = find("train", "SM_CHANNEL_TRAIN", "input/data/train")
        model_dir = find("model_dir", "SM_MODEL_DIR", "model")
        if train is None or model_dir is None:
            what = "The training data is" if train is None else "The folder for the model is"
            options = "--train, or set SM_CHANNEL_TRAIN" if train is None else "--model-dir, or set SM_MODEL_DIR"
            raise JobError(
                f"{what} not named: give {options}.",
                hint="On this machine: python train.py --train DATA --test DATA --model-dir OUT.",
            )
        test = find("test", "SM_CHANNEL_TEST", "input/data/test")
        if test and not (folders.get("test") or environ.get("SM_CHANNEL_TEST")) and not test.exists():
            test = None  # nobody named it, so it is optional
        job = cls(
            train=train,
            test=test,
            model_dir=model_dir,
            output_data_dir=find("output_data_dir", "SM_OUTPUT_DATA_DIR", "output/data")
            or _beside(model_dir, "output"),
            checkpoint_dir=find("checkpoint_dir", "", "checkpoints") or _beside(model_dir, "checkpoints"),
            managed=base is not None,
        )
        job._check()
        return job

    def _check(self) -> None:
        for role, path in (("train", self.train), ("test", self.test)):
            if path is not None and not path.exists():
                raise JobError(
                    f"There is no {role} data at {path}.", hint=f"Give --{role} a folder or a file that exists."
                )
        if self.checkpoint_dir.resolve().is_relative_to(self.model_dir.resolve()):
            raise JobError(
                f"The checkpoint folder {self.checkpoint_dir} lies inside the model folder {self.model_dir}; it would "
                "become part of model.tar.gz.",
                hint="Give --checkpoint-dir another folder.",
            )
        if self.model_dir.exists() and not _is_replaceable(self.model_dir):
            raise JobError(
                f"The model folder {self.model_dir} holds files that are no model of this job. They were not touched.",
                hint="Give --model-dir a folder that is empty, does not exist yet, or holds an earlier model.",
            )


def base_directory(environ: Mapping[str, str]) -> Path | None:
    """Return the container's base directory, or None outside of a training container."""
    named = environ.get("SAGEMAKER_BASE_DIR")
    if named:
        return Path(named)
    default = Path(DEFAULT_BASE)
    return default if (default / "input").is_dir() else None


def _is_replaceable(folder: Path) -> bool:
    """Return whether `folder` is empty or holds a model of this job."""
    return folder.is_dir() and (not any(folder.iterdir()) or (folder / "evaluation.json").is_file())


def hyperparameters_file(environ: Mapping[str, str]) -> dict[str, object]:
    """Read `input/config/hyperparameters.json` of the container; an empty dictionary if there is none.

    The container's toolkit passes the same values on the command line, which take precedence. A job that is started in
    another way needs the file.
    """
    base = base_directory(environ)
    path = base / "input/config/hyperparameters.json" if base else None
    if path is None or not path.is_file():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as e:
        raise JobError(f"{path} is not JSON: {e}.") from e
    return values if isinstance(values, dict) else {}


def origin_of(environ: Mapping[str, str], given: Mapping[str, object]) -> dict[str, Any]:
    """Return for the run's record: job, code archive, and the machine, on which the last digits of figures depend.

    `given`: the content of `hyperparameters_file`, which names the archive.
    """
    import torch

    told = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    return {
        "training_job": environ.get("TRAINING_JOB_NAME"),
        "code": unquote(str(given.get("sagemaker_submit_directory", ""))),
        "processor": next(iter(re.findall(r"model name\s*: (.+)", told)), platform.machine()),
        "threads": torch.get_num_threads(),
        "gpus": [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())],
    }


def write_failure(reason: str, environ: Mapping[str, str]) -> None:
    """Write `reason` where SageMaker looks for it: `output/failure` below the base directory, if there is one."""
    base = base_directory(environ)
    if base is None:
        return
    path = base / "output/failure"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Atomically: when the first of several processes ends, torchrun ends the others, maybe while they write.
        part = path.with_name(f".{path.name}-{os.getpid()}")
        part.write_text(reason[:FAILURE_LIMIT], encoding="utf-8")
        part.replace(path)
    except OSError:
        return  # stderr has the reason too, and this error must not hide it


def _beside(folder: Path, suffix: str) -> Path:
    folder = folder.resolve()
    return folder.with_name(f"{folder.name}-{suffix}")
