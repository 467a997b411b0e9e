"""URIs of AWS's Deep Learning Containers: the version is pinned here, the registry comes from the SageMaker SDK.

The registry account differs by region; ``sagemaker.core.image_uris`` carries the table, so that none is copied here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stacks.common.container_image import ContainerImage
from stacks.common.errors import ImageNotFoundError


@dataclass(frozen=True, kw_only=True)
class PinnedImage:
    """One container version, in the words of the SDK's table."""

    repository: str
    tag: str
    """The exact tag that is deployed."""
    framework: str
    version: str
    """transformers' version."""
    base_framework: str
    python: str
    scope: Literal["training", "inference"]
    instance_type: str
    """Any instance of the right kind: it makes the table answer with the CPU or the GPU image."""


INFERENCE = PinnedImage(
    repository="huggingface-pytorch-inference",
    tag="2.6.0-transformers5.5.3-cpu-py312-ubuntu22.04",
    framework="huggingface",
    version="5.5.3",
    base_framework="pytorch2.6.0",
    python="py312",
    scope="inference",
    instance_type="ml.m5.large",
)
# Trains with transformers 5.3.0 what 5.5.3 serves: the safe direction. There is no CPU image with Hugging Face's
# libraries.
TRAINING = PinnedImage(
    repository="huggingface-pytorch-training",
    tag="2.9.0-transformers5.3.0-gpu-py312-cu130-ubuntu22.04",
    framework="huggingface",
    version="5.3.0",
    base_framework="pytorch2.9.0",
    python="py312",
    scope="training",
    instance_type="ml.g4dn.xlarge",
)


def resolve_image(pin: PinnedImage, region: str) -> ContainerImage:
    """Name a pinned image in a region's registry.

    Raises:
        ImageNotFoundError: the SDK's table has no such version, no registry for the region, or a tag that contradicts
            the pinned one.
    """
    # Imported here: it takes over a second, which reading the configuration or --help need not pay.
    from sagemaker.core import image_uris

    try:
        listed = image_uris.retrieve(
            pin.framework,
            region,
            version=pin.version,
            base_framework_version=pin.base_framework,
            py_version=pin.python,
            instance_type=pin.instance_type,
            image_scope=pin.scope,
        )
    except ValueError as error:
        raise ImageNotFoundError(region, f"{pin.repository}:{pin.tag}", str(error)) from error
    repository_uri, _, listed_tag = listed.rpartition(":")
    if pin.tag != listed_tag or not repository_uri.endswith(f"/{pin.repository}"):
        raise ImageNotFoundError(region, f"{pin.repository}:{pin.tag}", f"the sagemaker package lists {listed} instead")
    return ContainerImage(
        uri=f"{repository_uri}:{pin.tag}",
        registry=repository_uri.partition(".")[0],
        repository=pin.repository,
        region=region,
    )
