"""What CreateTrainingJob refuses beyond the constraints of the service model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from local.sagemaker.common.errors import InvalidRequestError, UnsupportedError
from local.sagemaker.training.container import TORCHRUN_HYPERPARAMETER, instance_hosts, uses_torchrun

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
    algorithm = params["AlgorithmSpecification"]
    if not algorithm.get("TrainingImage"):
        raise UnsupportedError("a training job without AlgorithmSpecification.TrainingImage")
    for member in ("ContainerEntrypoint", "ContainerArguments"):
        if member in algorithm:
            raise UnsupportedError(
                f"AlgorithmSpecification.{member} (it runs sagemaker_program instead of the image's command)"
            )
    if algorithm["TrainingInputMode"] == "Pipe":
        raise UnsupportedError("TrainingInputMode Pipe")
    if params["OutputDataConfig"].get("CompressionType") == "NONE":
        raise UnsupportedError("OutputDataConfig.CompressionType NONE")
    _check_instances(params)
    _check_metrics(algorithm.get("MetricDefinitions", []))
    _check_channels(params.get("InputDataConfig", []))
    condition = params.get("StoppingCondition", {})
    runtime = condition.get("MaxRuntimeInSeconds", DEFAULT_RUNTIME_SECONDS)
    if params.get("EnableManagedSpotTraining") and condition.get("MaxWaitTimeInSeconds", 0) < runtime:
        raise InvalidRequestError(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds."
        )


def _check_instances(params: Mapping[str, Any]) -> None:
    count = len(instance_hosts(params))
    if count > _MAX_INSTANCES:
        raise UnsupportedError(
            f"ResourceConfig.InstanceCount {count}: its instances are processes of one machine, at most "
            f"{_MAX_INSTANCES}"
        )
    if count > 1 and not uses_torchrun(params):
        raise UnsupportedError(
            f"ResourceConfig.InstanceCount {count} without the hyperparameter {TORCHRUN_HYPERPARAMETER}=true: on AWS "
            "each instance would then run the whole script by itself"
        )


def _check_metrics(definitions: Sequence[Mapping[str, str]]) -> None:
    for definition in definitions:
        try:
            re.compile(definition["Regex"])
        except re.error as error:
            raise InvalidRequestError(
                f"Invalid regular expression in the definition of metric {definition['Name']}: {error}."
            ) from error


def _check_channels(channels: Sequence[Mapping[str, Any]]) -> None:
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) != len(names):
        raise InvalidRequestError(f"Channel names must be unique; given: {', '.join(names)}.")
    for channel in channels:
        name = channel["ChannelName"]
        if name.strip(".") == "":
            raise InvalidRequestError(f"'{name}' is not a channel name.")
        source = channel["DataSource"].get("S3DataSource")
        if source is None or source["S3DataType"] != "S3Prefix":
            raise UnsupportedError(f"channel {name}: a data source other than S3DataSource with S3DataType S3Prefix")
        if channel.get("InputMode") == "Pipe" or channel.get("CompressionType") == "Gzip":
            raise UnsupportedError(f"channel {name}: InputMode Pipe or CompressionType Gzip")
