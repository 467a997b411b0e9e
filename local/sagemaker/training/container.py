"""What SageMaker gives a training container: the folder that stands for /opt/ml, with the configuration in it.

AWS's own toolkit reads it and starts the script (`launch`).
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from local.sagemaker.common.errors import FailedError
from local.sagemaker.state.store import Record

CHECKPOINTS = "/opt/ml/checkpoints"
"""The LocalPath of checkpoints, which is AWS's default."""
NETWORK_INTERFACE = "lo" if sys.platform == "linux" else "lo0"
"""Over which the processes of a job talk."""
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
        self.home = base / "home"
        """HOME of the script."""
        self.checkpoints = base / "checkpoints"
        self.config = base / "input" / "config"
        """The job's configuration as JSON files."""

    def channel(self, name: str) -> Path:
        """Return SM_CHANNEL_<NAME>."""
        return self.base / "input" / "data" / name

    def failures(self) -> list[Path]:
        """Return the files in which the job's instances left the reason of a failure, the first one written first."""
        found = [*self.base.glob("output/failure"), *self.base.glob("hosts/*/output/failure")]
        return sorted(found, key=lambda path: path.stat().st_mtime_ns)

    def scratch(self, name: str) -> Path:
        """Return a path for an archive on its way in or out; it is not part of the contract."""
        return self.base / "transfer" / name

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
    return _hyperparameter(job, TORCHRUN_HYPERPARAMETER).lower() == "true"


def _hyperparameter(job: Mapping[str, Any], name: str) -> str:
    """Return a hyperparameter as the toolkit reads it: as JSON where it is JSON (`"train.py"`), else as it is."""
    value: str = job.get("HyperParameters", {}).get(name, "")
    try:
        return str(json.loads(value))
    except ValueError:
        return value


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
    """Return the content of resourceconfig.json as the first host finds it."""
    instance_type = job["ResourceConfig"].get("InstanceType", "")
    hosts = instance_hosts(job)
    group = {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": hosts}
    return {
        "current_host": hosts[0],
        "current_instance_type": instance_type,
        "current_group_name": group["instance_group_name"],
        "hosts": hosts,
        "instance_groups": [group],
        "network_interface_name": NETWORK_INTERFACE,
    }


def entry_point(job: Record) -> tuple[str, str]:
    """Return the file to run and the S3 URI of the source tarball, from the two `sagemaker_*` hyperparameters.

    Raises FailedError when one of them is missing or is not supported here.
    """
    program, source = (_hyperparameter(job, f"sagemaker_{name}") for name in ("program", "submit_directory"))
    if not program or not source:
        raise FailedError(
            "AlgorithmError: the hyperparameters sagemaker_program (the file to run) and sagemaker_submit_directory "
            "(s3://…/sourcedir.tar.gz) are needed, because the local cloud runs scripts, not images."
        )
    path = PurePosixPath(program)
    if path.suffix != ".py" or path.is_absolute() or ".." in path.parts:
        raise FailedError(f"AlgorithmError: sagemaker_program has to be a Python file in the tarball, not {program}.")
    if not source.startswith("s3://") or not source.endswith(".tar.gz"):
        raise FailedError(f"AlgorithmError: sagemaker_submit_directory has to be s3://…/….tar.gz, not {source}.")
    return program, source
