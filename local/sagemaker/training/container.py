"""What a training container finds: the folder that stands for /opt/ml, the SM_… variables and the command.

The contract of the sagemaker-training toolkit, with SAGEMAKER_BASE_DIR pointing at a folder of this job.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from local.sagemaker.processes.child_environment import cpu_count
from local.sagemaker.state.store import Record
from local.sagemaker.training import hosts as training_hosts
from local.sagemaker.training import hyperparameters

_CONTAINER_BASE = PurePosixPath("/opt/ml")
_NETWORK_INTERFACE = "lo"


class ContractError(Exception):
    """The job asks for something that breaks the toolkit's contract; the message becomes the FailureReason."""


@dataclass(frozen=True)
class JobFolder:
    """The folder of one job, laid out as /opt/ml."""

    base: Path

    @property
    def code(self) -> Path:
        """Where the source tarball is unpacked; working directory of the script."""
        return self.base / "code"

    @property
    def model(self) -> Path:
        """SM_MODEL_DIR; becomes model.tar.gz."""
        return self.base / "model"

    @property
    def output_data(self) -> Path:
        """SM_OUTPUT_DATA_DIR; becomes output.tar.gz."""
        return self.base / "output" / "data"

    @property
    def failure(self) -> Path:
        """The file in which the script leaves the reason of its failure."""
        return self.base / "output" / "failure"

    @property
    def home(self) -> Path:
        """HOME of the script."""
        return self.base / "home"

    def channel(self, name: str) -> Path:
        """SM_CHANNEL_<NAME>."""
        return self.base / "input" / "data" / name

    def scratch(self, name: str) -> Path:
        """A place for archives on their way in or out, outside the contract's folders."""
        return self.base / "transfer" / name

    def checkpoints(self, local_path: str | None) -> Path:
        """The folder that stands for CheckpointConfig's LocalPath (default /opt/ml/checkpoints).

        Raises ContractError for a path outside /opt/ml, which a process without a container can't be given.
        """
        path = PurePosixPath(local_path or "/opt/ml/checkpoints")
        if not path.is_relative_to(_CONTAINER_BASE) or ".." in path.parts:
            raise ContractError(f"ClientError: CheckpointConfig.LocalPath {path}: locally it has to be below /opt/ml.")
        return self.base / path.relative_to(_CONTAINER_BASE)

    def create(self, job: Record) -> None:
        """Make the folders and write input/config/*.json."""
        for folder in (self.code, self.model, self.output_data, self.home, self.scratch(""), self._config):
            folder.mkdir(parents=True, exist_ok=True)
        for name, content in {
            "hyperparameters": job.get("HyperParameters", {}),
            "inputdataconfig": input_data_config(job),
            "resourceconfig": resource_config(job),
        }.items():
            (self._config / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")

    @property
    def _config(self) -> Path:
        return self.base / "input" / "config"


def input_data_config(job: Record) -> dict[str, dict[str, str]]:
    """Content of inputdataconfig.json."""
    config = {}
    for channel in job.get("InputDataConfig", []):
        source = channel["DataSource"]["S3DataSource"]
        entry = {
            "TrainingInputMode": "File",
            "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        }
        if "ContentType" in channel:
            entry["ContentType"] = channel["ContentType"]
        config[channel["ChannelName"]] = entry
    return config


def resource_config(job: Record) -> dict[str, Any]:
    """Content of resourceconfig.json; whichever process reads it is on the first of the hosts."""
    instance_type = job["ResourceConfig"].get("InstanceType", "")
    hosts = training_hosts.hosts(job)
    return {
        "current_host": hosts[0],
        "current_instance_type": instance_type,
        "current_group_name": "homogeneousCluster",
        "hosts": hosts,
        "instance_groups": [
            {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": hosts}
        ],
        "network_interface_name": _NETWORK_INTERFACE,
    }


def entry_point(job: Record) -> tuple[str, str]:
    """(file to run, S3 URI of the source tarball) from the two ``sagemaker_*`` hyperparameters.

    Raises ContractError when one is missing or is not of the kind that can be run here.
    """
    _, toolkit = hyperparameters.split(hyperparameters.decode(job.get("HyperParameters", {})))
    program, source = toolkit.get("sagemaker_program"), toolkit.get("sagemaker_submit_directory")
    if not program or not source:
        raise ContractError(
            "AlgorithmError: the hyperparameters sagemaker_program (the file to run) and sagemaker_submit_directory "
            "(s3://…/sourcedir.tar.gz) are needed, because the local cloud runs scripts, not images."
        )
    path = PurePosixPath(str(program))
    if path.suffix != ".py" or path.is_absolute() or ".." in path.parts:
        raise ContractError(f"AlgorithmError: sagemaker_program has to be a Python file in the tarball, not {program}.")
    if not str(source).startswith("s3://") or not str(source).endswith(".tar.gz"):
        raise ContractError(f"AlgorithmError: sagemaker_submit_directory has to be s3://…/….tar.gz, not {source}.")
    return str(program), str(source)


def command(job: Record, python: str, program: str) -> list[str]:
    """The script's command line, behind torchrun where the job asks for that."""
    script, _ = hyperparameters.split(hyperparameters.decode(job.get("HyperParameters", {})))
    return [*training_hosts.launcher(job, python), program, *hyperparameters.arguments(script)]


def contract_variables(job: Record, folder: JobFolder, program: str, source: str) -> dict[str, str]:
    """The SM_… variables and their relatives."""
    decoded = hyperparameters.decode(job.get("HyperParameters", {}))
    script, toolkit = hyperparameters.split(decoded)
    channels = input_data_config(job)
    resources = resource_config(job)
    training_env = {
        "additional_framework_parameters": toolkit,
        "channel_input_dirs": {name: str(folder.channel(name)) for name in channels},
        "current_host": resources["current_host"],
        "current_instance_type": resources["current_instance_type"],
        "hosts": resources["hosts"],
        "hyperparameters": script,
        "input_config_dir": str(folder.base / "input" / "config"),
        "input_data_config": channels,
        "input_dir": str(folder.base / "input"),
        "is_master": True,
        "job_name": job["TrainingJobName"],
        "log_level": 20,
        "master_hostname": resources["hosts"][0],
        "model_dir": str(folder.model),
        "module_dir": source,
        "module_name": PurePosixPath(program).stem,
        "network_interface_name": _NETWORK_INTERFACE,
        "num_cpus": cpu_count(),
        "num_gpus": 0,
        "num_neurons": 0,
        "output_data_dir": str(folder.output_data),
        "output_dir": str(folder.base / "output"),
        "output_intermediate_dir": str(folder.base / "output" / "intermediate"),
        "resource_config": resources,
        "user_entry_point": program,
    }
    variables: Mapping[str, Any] = {
        "CHANNELS": sorted(channels),
        "CURRENT_HOST": resources["current_host"],
        "CURRENT_INSTANCE_TYPE": training_env["current_instance_type"],
        "FRAMEWORK_PARAMS": toolkit,
        "HOSTS": resources["hosts"],
        "HPS": script,
        "INPUT_CONFIG_DIR": training_env["input_config_dir"],
        "INPUT_DATA_CONFIG": channels,
        "INPUT_DIR": training_env["input_dir"],
        "LOG_LEVEL": 20,
        "MODEL_DIR": training_env["model_dir"],
        "MODULE_DIR": source,
        "MODULE_NAME": training_env["module_name"],
        "NETWORK_INTERFACE_NAME": _NETWORK_INTERFACE,
        "NUM_CPUS": training_env["num_cpus"],
        "NUM_GPUS": 0,
        "NUM_NEURONS": 0,
        "OUTPUT_DATA_DIR": training_env["output_data_dir"],
        "OUTPUT_DIR": training_env["output_dir"],
        "OUTPUT_INTERMEDIATE_DIR": training_env["output_intermediate_dir"],
        "RESOURCE_CONFIG": resources,
        "TRAINING_ENV": training_env,
        "USER_ARGS": hyperparameters.arguments(script),
        "USER_ENTRY_POINT": program,
        **{f"CHANNEL_{name.upper()}": str(folder.channel(name)) for name in channels},
        **{f"HP_{name.upper()}": value for name, value in script.items()},
    }
    return {
        **{f"SM_{name}": hyperparameters.as_variable(value) for name, value in variables.items()},
        "SAGEMAKER_BASE_DIR": str(folder.base),
        "TRAINING_JOB_NAME": job["TrainingJobName"],
        "TRAINING_JOB_ARN": job["TrainingJobArn"],
        "PYTHONPATH": str(folder.code),
    }
