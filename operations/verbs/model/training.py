"""Train a model: with the workflow, with the SageMaker SDK, or by hand in the console."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.job.hyperparameter_rules import encoded
from operations.aws import data, registry, releases, training
from operations.aws.deployment import PROJECT, Deployment, connect
from operations.console import Answer, say
from operations.errors import OperationError
from operations.verbs.model.releases import follow

if TYPE_CHECKING:
    from classifier.data.dataset import LabelledData

INTERRUPTED = "What was started goes on: `make train` follows the workflow again, `make logs` shows workflow and job."
PREFIX = "datasets/terminal/"  # apart from source/, which decides what the workflow trains on


def train(arguments: argparse.Namespace) -> Answer:
    """Run the training workflow (collect the data, train, gather evidence, judge, register) and follow the release.

    The same state machine runs from the Step Functions console with `{}`. Ctrl-C leaves it running; calling this again
    follows the run under way. A package that the gate approves is released by itself. DATA, a file or a folder, is read
    and put into the data bucket first, where later runs find it.
    For example: make train HYPERPARAMETERS='epochs=3 text_column="Review Text"', make train INPUT='{"spot": true}',
    make train TUNE='{}'
    """
    overrides, place = overrides_of(arguments), arguments.data
    if place:
        connect(arguments.env)  # what does not run is said before a long reading
    labelled = _read(place, overrides) if place else None
    say(f"Input of the execution: {json.dumps(overrides)}")
    deployment = connect(arguments.env)
    if labelled:
        data.upload(deployment, labelled)
    return Answer(train_and_release(deployment, overrides), "")


def _read(place: Path, overrides: dict[str, Any]) -> LabelledData:
    """Read DATA, and take what says how it is read out of the execution's input: it travels with the data."""
    if clash := next((name for name in ("data_source", "training_job") if overrides.get(name)), None):
        raise OperationError(f"DATA and {clash} name two sources of data.", hint="give one of them")
    given = overrides.pop("hyperparameters", {})
    if not isinstance(given, dict):
        raise OperationError("hyperparameters in INPUT is not an object.", hint="""INPUT='{"hyperparameters": {…}}'""")
    labelled = data.read(place, given)
    say("\n".join(labelled.summary()))
    if rest := data.without_reading(given):
        overrides["hyperparameters"] = rest
    return labelled


def train_and_release(deployment: Deployment, overrides: dict[str, Any]) -> dict[str, Any]:
    """Run the workflow once and, where the gate approves, follow the release that the approval starts.

    Returns ARN, status and summary of the package; of its release the outcome and the model that serves. Raises
    OperationError: a run with another input is under way, the run failed, the gate refused the model, or the release
    failed. In each case the champion stays.
    """
    known = releases.all_known(deployment)
    run = training.follow(deployment, training.start_or_join(deployment, overrides))
    if run["status"] == training.CHECKED:
        say(run["summary"])
        return run
    version = run["package"].rsplit("/", 1)[-1]
    say(f"Registered {run['package']}\n{run['summary']}")
    if run["status"] == registry.APPROVED:
        return {**run, **follow(deployment, releases.started_for(deployment, run["package"], known))}
    next_step = f"make report PACKAGE={version} shows the figures; make approve PACKAGE={version} releases it"
    if run["status"] != registry.PENDING and overrides.get("approval") != "never":
        raise OperationError(f"Model version {version} was not approved.", hint=next_step, document=run)
    say(f"Next step: {next_step}")
    return run


def hyperparameters(pairs: list[str]) -> dict[str, str]:
    """Read `["epochs=3"]` as `{"epochs": "3"}`; refuse an item that is not NAME=VALUE."""
    wrong = [pair for pair in pairs if "=" not in pair or pair.startswith("=")]
    if wrong:
        raise OperationError(f"Not NAME=VALUE: {', '.join(wrong)}.", hint='make train HYPERPARAMETERS="epochs=3"')
    return dict(pair.split("=", 1) for pair in pairs)


def overrides_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the execution's input that the command line asks for; what is left out is the configuration's."""
    made = _object("INPUT", arguments.input or "{}", '{"spot": true}')
    if arguments.tune:
        made["tune"] = _object("TUNE", arguments.tune, '{"max_jobs": 8}')
    if arguments.hyperparameter:
        made["hyperparameters"] = {**made.get("hyperparameters", {}), **hyperparameters(arguments.hyperparameter)}
    given = {name: getattr(arguments, name) for name in ("data_source", "training_job", "approval")}
    return {**made, **{name: value for name, value in given.items() if value}}


def _object(variable: str, text: str, example: str) -> dict[str, Any]:
    hint = f"make train {variable}='{example}'"
    try:
        made = json.loads(text)
    except ValueError as error:
        raise OperationError(f"{variable} is not JSON: {error}.", hint=hint) from error
    if not isinstance(made, dict):
        raise OperationError(f"{variable} is not a JSON object.", hint=hint)
    return made


def train_sdk(arguments: argparse.Namespace) -> Answer:
    """Launch the training job with the SageMaker SDK's ModelTrainer, and wait for it.

    Image, code, role, instance and hyperparameters are the workflow's own, taken from its recipe. Nothing is
    registered or released; the artifact's address is printed. For example: make train-sdk HYPERPARAMETERS="epochs=2"
    """
    deployment = connect(arguments.env)
    given = hyperparameters(arguments.hyperparameter)
    labelled = data.read(Path(os.environ.get("DATA") or data.BUNDLED), given)
    say("\n".join(labelled.summary()))
    data.upload(deployment, labelled, PREFIX, channels=True)
    launched = trainer(deployment, data.without_reading(given))
    launched.train(wait=False)
    job_name = launched._latest_training_job.training_job_name
    say(f"Training job {job_name}")
    artifact = training.wait_for(deployment, job_name)
    return Answer({"training_job": job_name, "artifact": artifact}, f"Completed: {artifact}")


def trainer(deployment: Deployment, overrides: dict[str, str]) -> Any:
    """Return a ModelTrainer for the product's training job.

    `source_code` stays unset: with it the SDK puts an entry point of its own in front of the image's. The two
    `sagemaker_*` hyperparameters name the code instead, as the workflow does.
    """
    # The SDK would refuse every role that lacks rights for VPCs and custom metrics, which this job does not need.
    os.environ["SAGEMAKER_VALIDATE_ROLE"] = "false"
    # The SDK makes clients of its own on import and in threads; these variables reach all of them.
    os.environ |= deployment.variables
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.core.training.configs import Compute, InputData, MetricDefinition, Networking, OutputDataConfig
    from sagemaker.train.model_trainer import ModelTrainer

    recipe, bucket = _request(deployment), deployment.output("DataBucket")
    machine, output, network = recipe["ResourceConfig"], recipe["OutputDataConfig"], recipe.get("VpcConfig")
    channels = {one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3Uri"] for one in recipe["InputDataConfig"]}
    channels |= {channel: f"s3://{bucket}/{PREFIX}{channel}/" for channel in ("train", "test")}
    metrics = recipe["AlgorithmSpecification"]["MetricDefinitions"]
    made = ModelTrainer(
        sagemaker_session=Session(boto_session=deployment.session),
        training_image=recipe["AlgorithmSpecification"]["TrainingImage"],
        role=recipe["RoleArn"],
        base_job_name=f"{PROJECT}-{deployment.env}",
        compute=Compute(
            instance_type=machine["InstanceType"],
            instance_count=machine["InstanceCount"],
            volume_size_in_gb=machine["VolumeSizeInGB"],
        ),
        hyperparameters=encoded({**recipe["HyperParameters"], **overrides}),
        input_data_config=[InputData(channel_name=name, data_source=uri) for name, uri in channels.items()],
        networking=network and Networking(subnets=network["Subnets"], security_group_ids=network["SecurityGroupIds"]),
        environment=recipe["Environment"],
        output_data_config=OutputDataConfig(s3_output_path=output["S3OutputPath"], kms_key_id=output.get("KmsKeyId")),
    )
    return made.with_metric_definitions([MetricDefinition(name=one["Name"], regex=one["Regex"]) for one in metrics])


def recipe(arguments: argparse.Namespace) -> Answer:
    """Show the training job as SageMaker's *Create training job* page asks for it, field by field, to copy.

    The values are the workflow's own: the stack writes them down; only the name is left to choose. With --json it is
    the request for `aws sagemaker create-training-job`. A job made with it is judged and registered by
    `make train TRAINING_JOB=name`, or by starting the state machine with {"training_job": "name"}.
    For example: make recipe
    """
    request = _request(connect(arguments.env))
    request["HyperParameters"] = encoded(request["HyperParameters"])
    lines = fields(request)
    width = max(len(path) for path, _ in lines)
    return Answer(request, "\n".join(f"{path.ljust(width)}  {value}" for path, value in lines), whole=True)


def _request(deployment: Deployment) -> dict[str, Any]:
    """Return the recipe as the training stack wrote it down."""
    parameter = deployment.client("ssm").get_parameter(Name=deployment.output("TrainingRecipeParameter"))
    request: dict[str, Any] = json.loads(parameter["Parameter"]["Value"])
    return request


def fields(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Flatten a nested request into (path, value) lines: `ResourceConfig.InstanceType`, `ml.g4dn.xlarge`."""
    if isinstance(value, dict):
        return [line for key, inner in value.items() for line in fields(inner, f"{path}.{key}" if path else key)]
    if isinstance(value, list):
        return [line for number, inner in enumerate(value) for line in fields(inner, f"{path}[{number}]")]
    return [(path, str(value))]
