"""Launch the training job with the SageMaker SDK's ModelTrainer.

Image, code, role and hyperparameters are the workflow's own, taken from the training stack's outputs. Nothing is
registered or released; the artifact's address is printed.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from operations import command, data
from operations.deployment import PROJECT, Deployment, connect
from operations.errors import TrainingFailed
from operations.train import hyperparameters
from operations.training_log import TrainingLog

CHANNELS = {"train": "train.json", "test": "test.json"}
POLL_SECONDS = 1.5
VOLUME_GB = 30
PREFIX = "datasets/terminal/"  # apart from source/, which decides what the workflow trains on


def trainer(deployment: Deployment, overrides: dict[str, str]) -> Any:
    """A ModelTrainer for the product's training job.

    `source_code` stays unset: with it the SDK puts an entry point of its own in front of the image's. The two
    `sagemaker_*` hyperparameters name the code instead, as the workflow does.
    """
    # The SDK would refuse every role that lacks rights for VPCs and custom metrics, which this job does not need.
    os.environ["SAGEMAKER_VALIDATE_ROLE"] = "false"
    # The SDK makes clients of its own on import and in threads; these variables reach all of them.
    credentials = deployment.session.get_credentials()
    if deployment.endpoint_url:
        os.environ |= {
            "AWS_ENDPOINT_URL": deployment.endpoint_url,
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "AWS_DEFAULT_REGION": deployment.session.region_name,
        }
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig
    from sagemaker.train.model_trainer import ModelTrainer

    bucket = deployment.output("DataBucket")
    return ModelTrainer(
        sagemaker_session=Session(boto_session=deployment.session),
        training_image=deployment.output("TrainingImage"),
        role=deployment.output("TrainingRoleArn"),
        base_job_name=f"{PROJECT}-{deployment.env}",
        compute=Compute(
            instance_type=deployment.output("TrainingInstanceType"), instance_count=1, volume_size_in_gb=VOLUME_GB
        ),
        hyperparameters={
            **json.loads(deployment.output("DefaultHyperparameters")),
            **overrides,
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": deployment.output("TrainingCodeUri"),
        },
        input_data_config=[
            InputData(channel_name=channel, data_source=f"s3://{bucket}/{PREFIX}{file}")
            for channel, file in CHANNELS.items()
        ],
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{deployment.output('ArtifactsBucket')}/training"),
    )


def main() -> int:
    """Upload the data, launch, wait, print where the artifact is."""
    parser = command.parser(__doc__)
    parser.add_argument(
        "--hyperparameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="override one hyperparameter (python training_job/train.py --help lists them)",
    )
    arguments = parser.parse_args()
    deployment = connect(arguments.env)
    data.upload(deployment, data.default_folder(), PREFIX)
    made = trainer(deployment, hyperparameters(arguments.hyperparameter))
    made.train(wait=False)
    job_name = made._latest_training_job.training_job_name
    command.say(f"Training job {job_name}")
    finished = wait(deployment, job_name)
    command.say(f"Completed: {finished['ModelArtifacts']['S3ModelArtifacts']}")
    return 0


def wait(deployment: Deployment, job_name: str) -> dict[str, Any]:
    """Show the job's log until it ends; answers its description.

    Raises:
        TrainingFailed: with the job's own reason.
    """
    log = TrainingLog(deployment, job_name)
    client = deployment.client("sagemaker")
    while True:
        job = client.describe_training_job(TrainingJobName=job_name)
        log.show_new()
        if job["TrainingJobStatus"] == "Completed":
            return job
        if job["TrainingJobStatus"] in ("Failed", "Stopped"):
            raise TrainingFailed(
                f"Training job {job_name} {job['TrainingJobStatus']}: {job.get('FailureReason', '')}",
                hint="mend what it names and launch again",
            )
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    command.run(main, "The training job goes on; the SageMaker console and `make logs` show it.")
