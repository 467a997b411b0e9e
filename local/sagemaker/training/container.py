"""What a training container finds: the folder that stands for /opt/ml, and the SM_… variables.

This is the contract of the sagemaker-training toolkit, with SAGEMAKER_BASE_DIR set to a folder of the job. How the
script is started is in `launch`.
"""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from local.sagemaker.common.errors import FailedError
from local.sagemaker.processes.child_environment import cpu_count
from local.sagemaker.state.store import Record
from local.sagemaker.training import hyperparameters

_CONTAINER_BASE = PurePosixPath("/opt/ml")
_NETWORK_INTERFACE = "lo"
_LOG_LEVEL = 20
TORCHRUN_HYPERPARAMETER = "sagemaker_torch_distributed_enabled"
"""With `true` the toolkit starts the script through torchrun, with one process for each instance without GPUs."""


class JobFolder:
    """The folder of one job, laid out as /opt/ml."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.code = base / "code"
        """Source code; working directory of the script."""
        self.model = base / "model"
        """SM_MODEL_DIR; becomes model.tar.gz."""
        self.output_data = base / "output" / "data"
        """SM_OUTPUT_DATA_DIR; becomes output.tar.gz."""
        self.failure = base / "output" / "failure"
        """File in which the script leaves the reason of its failure."""
        self.home = base / "home"
        """HOME of the script."""
        self.config = base / "input" / "config"
        """The job's configuration as JSON files."""

    def channel(self, name: str) -> Path:
        """Return SM_CHANNEL_<NAME>."""
        return self.base / "input" / "data" / name

    def scratch(self, name: str) -> Path:
        """Return a path for an archive on its way in or out; it is not part of the contract."""
        return self.base / "transfer" / name

    def checkpoints(self, local_path: str | None) -> Path:
        """Return the folder that stands for CheckpointConfig's LocalPath, by default /opt/ml/checkpoints.

        Raises FailedError for a path outside /opt/ml, which does not exist without a container.
        """
        path = PurePosixPath(local_path or "/opt/ml/checkpoints")
        if not path.is_relative_to(_CONTAINER_BASE) or ".." in path.parts:
            raise FailedError(f"ClientError: CheckpointConfig.LocalPath {path}: locally it has to be below /opt/ml.")
        return self.base / path.relative_to(_CONTAINER_BASE)

    def create(self, job: Record) -> None:
        """Create the folders and write the configuration files."""
        for folder in (self.code, self.model, self.output_data, self.home, self.scratch(""), self.config):
            folder.mkdir(parents=True, exist_ok=True)
        for name, content in {
            "hyperparameters": job.get("HyperParameters", {}),
            "inputdataconfig": input_data_config(job),
            "resourceconfig": resource_config(job),
        }.items():
            (self.config / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def instance_hosts(job: Mapping[str, Any]) -> list[str]:
    """Return the names of the instances as on AWS. A single process runs on the first."""
    return [f"algo-{number}" for number in range(1, job["ResourceConfig"].get("InstanceCount", 1) + 1)]


def uses_torchrun(job: Mapping[str, Any]) -> bool:
    """Return whether torchrun starts the script."""
    _, toolkit = hyperparameters.of(job)
    return str(toolkit.get(TORCHRUN_HYPERPARAMETER)).lower() == "true"


def input_data_config(job: Record) -> dict[str, dict[str, str]]:
    """Return the content of inputdataconfig.json."""
    config = {}
    for channel in job.get("InputDataConfig", []):
        source = channel["DataSource"]["S3DataSource"]
        config[channel["ChannelName"]] = {
            "TrainingInputMode": "File",
            "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
            **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
        }
    return config


def resource_config(job: Record) -> dict[str, Any]:
    """Return the content of resourceconfig.json, which presents every process as the first host."""
    instance_type = job["ResourceConfig"].get("InstanceType", "")
    hosts = instance_hosts(job)
    group = {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": hosts}
    return {
        "current_host": hosts[0],
        "current_instance_type": instance_type,
        "current_group_name": group["instance_group_name"],
        "hosts": hosts,
        "instance_groups": [group],
        "network_interface_name": _NETWORK_INTERFACE,
    }


def entry_point(job: Record) -> tuple[str, str]:
    """Return the file to run and the S3 URI of the source tarball, from the two `sagemaker_*` hyperparameters.

    Raises FailedError when one of them is missing or is not supported here.
    """
    _, toolkit = hyperparameters.of(job)
    program, source = toolkit.get("sagemaker_program"), toolkit.get("sagemaker_submit_directory")
    if not program or not source:
        raise FailedError(
            "AlgorithmError: the hyperparameters sagemaker_program (the file to run) and sagemaker_submit_directory "
            "(s3://…/sourcedir.tar.gz) are needed, because the local cloud runs scripts, not images."
        )
    path = PurePosixPath(str(program))
    if path.suffix != ".py" or path.is_absolute() or ".." in path.parts:
        raise FailedError(f"AlgorithmError: sagemaker_program has to be a Python file in the tarball, not {program}.")
    if not str(source).startswith("s3://") or not str(source).endswith(".tar.gz"):
        raise FailedError(f"AlgorithmError: sagemaker_submit_directory has to be s3://…/….tar.gz, not {source}.")
    return str(program), str(source)


def contract_variables(job: Record, folder: JobFolder) -> dict[str, str]:
    """Return the SM_… variables and those that belong to them."""
    program, source = entry_point(job)
    script, toolkit = hyperparameters.of(job)
    channels = input_data_config(job)
    channel_dirs = {name: str(folder.channel(name)) for name in channels}
    resources = resource_config(job)
    # These members of SM_TRAINING_ENV are also variables of their own: `model_dir` is SM_MODEL_DIR.
    shared = {
        "current_host": resources["current_host"],
        "current_instance_type": resources["current_instance_type"],
        "hosts": resources["hosts"],
        "input_config_dir": str(folder.config),
        "input_data_config": channels,
        "input_dir": str(folder.base / "input"),
        "log_level": _LOG_LEVEL,
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
    training_env = shared | {
        "additional_framework_parameters": toolkit,
        "channel_input_dirs": channel_dirs,
        "hyperparameters": script,
        "is_master": True,
        "job_name": job["TrainingJobName"],
        "master_hostname": resources["hosts"][0],
    }
    variables = shared | {
        "channels": sorted(channels),
        "framework_params": toolkit,
        "hps": script,
        "training_env": training_env,
        "user_args": hyperparameters.arguments(script),
        **{f"channel_{name}": path for name, path in channel_dirs.items()},
        **{f"hp_{name}": value for name, value in script.items()},
    }
    return {
        **{f"SM_{name.upper()}": hyperparameters.as_variable(value) for name, value in variables.items()},
        "SAGEMAKER_BASE_DIR": str(folder.base),
        "TRAINING_JOB_NAME": job["TrainingJobName"],
        "TRAINING_JOB_ARN": job["TrainingJobArn"],
        "PYTHONPATH": str(folder.code),
    }
