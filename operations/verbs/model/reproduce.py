"""Train a package's model again from its record, and show whether the figures agree."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import time
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import registry, training
from operations.aws.deployment import PROJECT, Deployment, connect
from operations.console import Answer, filled, say
from operations.errors import OperationError

INTERRUPTED = "The training job goes on (`make logs`). Calling this again trains once more."
COPIED = ("AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig", "VpcConfig")
SAME = ("processor", "threads", "gpus", "versions", "precision", "processes")
"""What two trainings have to share for equal figures; a GPU does not give equal ones anyway."""


def reproduce(arguments: argparse.Namespace) -> Answer:
    """Train a package's model again from its record, and show whether the figures agree.

    Code archive, data, hyperparameters, image and instance are those of the package's own training job. What is gone is
    said before anything starts. On the same kind of machine, without a GPU, the figures have to be equal; else each has
    to lie in the 95 % interval that the record states. The end is 1 where they do not. Nothing is registered or
    published, and the workflow refuses to judge the new job: its name is none of the environment's.
    For example: make reproduce PACKAGE=3
    """
    deployment = connect(arguments.env)
    package, sagemaker = registry.package(deployment, arguments.package), deployment.client("sagemaker")
    job = recorded(deployment, package)
    record, weights = content(deployment, package.archive)
    name = f"reproduce-{PROJECT}-{deployment.env}-{package.version}-{time.strftime('%y%m%d%H%M%S', time.gmtime())}"
    tags = sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    sagemaker.create_training_job(
        **{member: job[member] for member in COPIED if member in job},
        TrainingJobName=name,
        HyperParameters={
            key: value for key, value in job["HyperParameters"].items() if key.replace("-", "_") != "hub_repo_id"
        },
        StoppingCondition={"MaxRuntimeInSeconds": job["StoppingCondition"]["MaxRuntimeInSeconds"]},
        Environment=job.get("Environment", {}),
        Tags=[tag for tag in tags if not tag["Key"].startswith("aws:")],
    )
    say(f"Training job {name} trains model version {package.version} again, as {job['TrainingJobName']} did.")
    made = training.wait_for(deployment, name)
    again, new_weights = content(deployment, made)
    answer = {"package": package.arn, "training_job": name, "artifact": made, **compared(record, again)}
    answer["weights_equal"] = weights == new_weights
    return Answer(answer, filled("verbs/model/reproduce.txt.jinja", **answer), 0 if answer["agrees"] else 1)


def recorded(deployment: Deployment, package: registry.Package) -> dict[str, Any]:
    """Return the package's training job; raise OperationError naming all that is gone."""
    sagemaker, s3 = deployment.client("sagemaker"), deployment.client("s3")
    known, gone, job = {"the archive": package.archive}, [], {}
    try:
        job = sagemaker.describe_training_job(TrainingJobName=package.metadata.get("training_job", "none"))
        known |= {
            f"the data of channel {one['ChannelName']}": one["DataSource"]["S3DataSource"]["S3Uri"]
            for one in job["InputDataConfig"]
        }
        if code := job["HyperParameters"].get("sagemaker_submit_directory", "").strip('"'):
            known["the code"] = code
    except ClientError as error:
        gone.append(f"its training job ({error.response['Error']['Message']})")
    for what, uri in known.items():
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents"):
            gone.append(f"{what} ({uri})")
        elif what == "the code" and len(version := package.metadata.get("code_version", "")) == 64:
            packed = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            if hashlib.sha256(gzip.decompress(packed)).hexdigest() != version:
                gone.append(f"the code as it was ({uri} has another digest than {version})")
    if gone:
        raise OperationError(
            f"Model version {package.version} cannot be trained again. Gone: {'; '.join(gone)}.",
            hint="bring back an earlier version of the object, where S3 still has one; or `make train` a new model",
        )
    return job


def content(deployment: Deployment, uri: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return of a model archive the content of `evaluation.json`, and the digests of the networks' files."""
    files = training.files_in(deployment, uri, ("evaluation.json", ".safetensors", ".onnx", ".onnx.data"))
    evaluation = json.loads(files.pop("evaluation.json"))
    return evaluation, {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def compared(record: dict[str, Any], again: dict[str, Any]) -> dict[str, Any]:
    """Compare two contents of `evaluation.json`: every figure with an interval, of test and validation rows."""
    one, other = ({**evaluation, **evaluation.get("origin", {})} for evaluation in (record, again))
    differs = [name for name in SAME if one.get(name) != other.get(name)] or ["gpus"] * bool(other.get("gpus"))
    figures = []
    for split in ("test", "validation"):
        for name, known in (record[split] or {}).items():
            if isinstance(known, dict) and "low" in known:
                value, low, high = again[split][name]["value"], known["low"], known["high"]
                agrees = low <= value <= high if differs else value == known["value"]
                row = {"figure": f"{split} {name}", "record": known["value"], "low": low, "high": high}
                figures.append({**row, "again": value, "agrees": agrees})
    same_data = record["data_sha256"] == again["data_sha256"]
    agrees = same_data and all(row["agrees"] for row in figures)
    return {"agrees": agrees, "same_data": same_data, "differs": differs, "figures": figures}
