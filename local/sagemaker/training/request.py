"""What CreateTrainingJob refuses beyond the constraints of the service model."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local.sagemaker.common.errors import InvalidRequestError, UnsupportedError
from local.sagemaker.training.container import CHECKPOINTS, TORCHRUN_HYPERPARAMETER, instance_hosts, uses_torchrun

DEFAULT_RUNTIME_SECONDS = 86_400
_MAX_INSTANCES = 4  # processes that share the processors of one machine


def check(params: Mapping[str, Any]) -> None:
    """Refuse what AWS refuses, and what the local cloud does not support. Raises InvalidRequestError."""
    for member in ("AlgorithmSpecification", "ResourceConfig"):
        if member not in params:
            path = member[0].lower() + member[1:]
            raise InvalidRequestError(
                f"1 validation error detected: Value null at '{path}' failed to satisfy constraint: "
                "Member must not be null"
            )
    for problem in _unsupported(params):
        raise UnsupportedError(problem)
    _check_metrics(params["AlgorithmSpecification"].get("MetricDefinitions", []))
    names = [channel["ChannelName"] for channel in params.get("InputDataConfig", [])]
    if len(set(names)) != len(names):
        raise InvalidRequestError(f"Channel names must be unique; given: {', '.join(names)}.")
    if unusable := [name for name in names if name.strip(".") == ""]:
        raise InvalidRequestError(f"'{unusable[0]}' is not a channel name.")
    condition = params.get("StoppingCondition", {})
    runtime = condition.get("MaxRuntimeInSeconds", DEFAULT_RUNTIME_SECONDS)
    if params.get("EnableManagedSpotTraining") and condition.get("MaxWaitTimeInSeconds", 0) < runtime:
        raise InvalidRequestError(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds."
        )


def _unsupported(params: Mapping[str, Any]) -> Iterator[str]:
    algorithm = params["AlgorithmSpecification"]
    if not algorithm.get("TrainingImage"):
        yield "a training job without AlgorithmSpecification.TrainingImage"
    for member in ("ContainerEntrypoint", "ContainerArguments"):
        if member in algorithm:
            yield f"AlgorithmSpecification.{member} (it runs sagemaker_program instead of the image's command)"
    if algorithm["TrainingInputMode"] == "Pipe":
        yield "TrainingInputMode Pipe"
    if params["OutputDataConfig"].get("CompressionType") == "NONE":
        yield "OutputDataConfig.CompressionType NONE"
    if params.get("CheckpointConfig", {}).get("LocalPath", CHECKPOINTS) != CHECKPOINTS:
        yield f"a CheckpointConfig.LocalPath other than {CHECKPOINTS}"
    count = len(instance_hosts(params))
    instances = f"ResourceConfig.InstanceCount {count}"
    if count > _MAX_INSTANCES:
        yield f"{instances}: its instances are processes of one machine, at most {_MAX_INSTANCES}"
    if count > 1 and not uses_torchrun(params):
        yield (
            f"{instances} without the hyperparameter {TORCHRUN_HYPERPARAMETER}=true: on AWS each instance would then "
            "run the whole script by itself"
        )
    for channel in params.get("InputDataConfig", []):
        yield from _unsupported_in_channel(channel)


def _unsupported_in_channel(channel: Mapping[str, Any]) -> Iterator[str]:
    name, source = channel["ChannelName"], channel["DataSource"].get("S3DataSource")
    if source is None or source["S3DataType"] != "S3Prefix":
        yield f"channel {name}: a data source other than S3DataSource with S3DataType S3Prefix"
    if channel.get("InputMode") == "Pipe" or channel.get("CompressionType") == "Gzip":
        yield f"channel {name}: InputMode Pipe or CompressionType Gzip"


def _check_metrics(definitions: Sequence[Mapping[str, str]]) -> None:
    for definition in definitions:
        try:
            re.compile(definition["Regex"])
        except re.error as error:
            raise InvalidRequestError(
                f"Invalid regular expression in the definition of metric {definition['Name']}: {error}."
            ) from error
