"""The container that serves models: Hugging Face's official one, or the slim one that this project builds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Stack

from stacks.common.container_image import ContainerImage
from stacks.common.dlc_image import INFERENCE, resolve_image
from stacks.config.environment import Config

HUGGINGFACE_ENVIRONMENT = {"HF_TASK": "text-classification", "SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
"""Serverless endpoints run one worker; the evidence is given under the same settings."""


@dataclass(frozen=True, kw_only=True)
class ServingContainer:
    """What a new model package names, and what may be pulled.

    Attributes:
        image: image of new packages.
        environment: environment variables of new packages.
        pullable: images of any package that may be released, older ones and the hub model included: a package
            travels with its image, whatever the configuration says by then.
    """

    image: ContainerImage
    environment: Mapping[str, str]
    pullable: tuple[ContainerImage, ...]


def serving_container(stack: Stack, *, config: Config, slim_tag: str | None) -> ServingContainer:
    """The container of an environment, as one of its stacks refers to it.

    Args:
        stack: the stack that refers to it; account and domain are its own.
        config: the environment.
        slim_tag: tag of the slim image that is built; None where packages are served by the official one.
    """
    official = resolve_image(INFERENCE, config.region)
    slim = ContainerImage(
        uri=f"{stack.account}.dkr.ecr.{config.region}.{stack.url_suffix}/{config.image_repository_name}:{slim_tag}",
        registry=stack.account,
        repository=config.image_repository_name,
        region=config.region,
    )
    return ServingContainer(
        image=slim if slim_tag else official,
        environment={} if slim_tag else HUGGINGFACE_ENVIRONMENT,
        pullable=(official, slim),
    )
