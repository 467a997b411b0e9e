"""The container that serves models: Hugging Face's official one, or the slim one that this project builds."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Stack

from stacks.common.container_image import INFERENCE, ContainerImage, resolve_image
from stacks.common.names import Names

WORKERS = "SAGEMAKER_MODEL_SERVER_WORKERS"
HUGGINGFACE_ENVIRONMENT = {"HF_TASK": "text-classification", WORKERS: "1"}
"""Serverless endpoints run one worker; the evidence is given under the same settings. The slim server ignores both."""


@dataclass(frozen=True, kw_only=True)
class ServingContainer:
    """What a new model package names, and what may be pulled.

    `pullable`: images of any package that may be released, older ones and the hub model included: a package keeps its
    image, whatever the configuration says later.
    """

    image: ContainerImage
    environment: Mapping[str, str]
    pullable: tuple[ContainerImage, ...]


def serving_container(stack: Stack, *, names: Names, region: str, slim_tag: str | None) -> ServingContainer:
    """Return the container of an environment.

    `stack`: the stack that refers to it; account and domain are its own. `slim_tag`: tag of the slim image; None where
    the official image serves new packages.
    """
    official = resolve_image(INFERENCE, region)
    slim = ContainerImage(
        uri=f"{stack.account}.dkr.ecr.{region}.{stack.url_suffix}/{names.image_repository}:{slim_tag}",
        registry=stack.account,
        repository=names.image_repository,
        region=region,
    )
    return ServingContainer(
        image=slim if slim_tag else official,
        environment={} if slim_tag else HUGGINGFACE_ENVIRONMENT,
        pullable=(official, slim),
    )
