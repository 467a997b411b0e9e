"""Container images: AWS's Deep Learning Containers at pinned versions, and any image by its registry.

The registry account of AWS's images differs by region. The SageMaker SDK carries that table
(`sagemaker.core.image_uris`), so none is copied here. `make images` writes digests into a file beside this one; an
image without one is named by its tag, which AWS may move.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stacks.errors import ImageNotFoundError

DIGESTS = Path(__file__).with_name("image_digests.json")


@dataclass(frozen=True, kw_only=True)
class ContainerImage:
    """An image and where it lies. Values may hold CDK tokens.

    `uri`: what SageMaker is given as the image. `registry`: id of the account that holds it.
    """

    uri: str
    registry: str
    repository: str
    region: str

    def repository_arn(self, partition: str) -> str:
        """Return the ARN of the repository, for pull permissions."""
        return f"arn:{partition}:ecr:{self.region}:{self.registry}:repository/{self.repository}"


@dataclass(frozen=True, kw_only=True)
class PinnedImage:
    """One container version, in the words of the SDK's table.

    `instance_type`: any instance of the right kind; it selects the CPU or the GPU image.
    """

    repository: str
    tag: str
    version: str
    base_framework: str
    scope: Literal["training", "inference"]
    instance_type: str
    framework: str = "huggingface"
    python: str = "py312"


INFERENCE = PinnedImage(
    repository="huggingface-pytorch-inference",
    tag="2.6.0-transformers5.5.3-cpu-py312-ubuntu22.04",
    version="5.5.3",
    base_framework="pytorch2.6.0",
    scope="inference",
    instance_type="ml.m5.large",
)
# Trains with transformers 5.3.0 what 5.5.3 serves: the safe direction. There is no CPU image with Hugging Face's
# libraries.
TRAINING = PinnedImage(
    repository="huggingface-pytorch-training",
    tag="2.9.0-transformers5.3.0-gpu-py312-cu130-ubuntu22.04",
    version="5.3.0",
    base_framework="pytorch2.9.0",
    scope="training",
    instance_type="ml.g4dn.xlarge",
)


def resolve_image(pin: PinnedImage, region: str) -> ContainerImage:
    """Find a pinned image in a region's registry.

    Raises ImageNotFoundError: the SDK's table has no such version, no registry for the region, or a tag that
    contradicts the pinned one.
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
    digest = json.loads(DIGESTS.read_text(encoding="utf-8")).get(listed)
    return ContainerImage(
        uri=f"{repository_uri}@{digest}" if digest else listed,
        registry=repository_uri.partition(".")[0],
        repository=pin.repository,
        region=region,
    )
