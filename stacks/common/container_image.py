"""Container images: AWS's Deep Learning Containers at pinned versions, and any image by its registry.

The registry account of AWS's images differs by region. The SageMaker SDK carries that table
(`image_uri_config/huggingface.json`), so none is copied here. `make images` writes digests into a file beside this
one; an image without one is named by its tag, which AWS may move.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

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
    """One container version; the parts of its tag are the keys of the SDK's table."""

    scope: Literal["training", "inference"]
    tag: str

    @property
    def repository(self) -> str:
        """The repository's name, which is the same in each registry."""
        return f"huggingface-pytorch-{self.scope}"


INFERENCE = PinnedImage(scope="inference", tag="2.6.0-transformers5.5.3-cpu-py312-ubuntu22.04")
# Trains with transformers 5.3.0 what 5.5.3 serves: the safe direction. There is no CPU image with Hugging Face's
# libraries.
TRAINING = PinnedImage(scope="training", tag="2.9.0-transformers5.3.0-gpu-py312-cu130-ubuntu22.04")


def resolve_image(pin: PinnedImage, region: str) -> ContainerImage:
    """Find a pinned image in a region's registry.

    Raises ImageNotFoundError: the SDK's table has no such version, no registry for the region, or another build.
    """
    wanted = f"{pin.repository}:{pin.tag}"
    framework, version, processor, python, *_ = pin.tag.split("-", 4)
    version = version.removeprefix("transformers")
    try:
        table = _read("sagemaker", "core/image_uri_config/huggingface.json")[pin.scope]
        listed = table["versions"][version][f"pytorch{framework}"]
        registry, build = listed["registries"][region], listed["container_version"][processor]
    except KeyError as error:
        raise ImageNotFoundError(region, wanted, f"the sagemaker package does not list {error}") from error
    image = f"{listed['repository']}:{framework}-transformers{version}-{processor}-{python}-{build}"
    if image != wanted:
        raise ImageNotFoundError(region, wanted, f"the sagemaker package lists {image} instead")
    partitions = _read("botocore", "data/partitions.json")["partitions"]
    (domain,) = [each["outputs"]["dnsSuffix"] for each in partitions if re.match(each["regionRegex"], region)]
    host = f"{registry}.dkr.ecr.{region}.{domain}"
    digest = json.loads(DIGESTS.read_text(encoding="utf-8")).get(f"{host}/{image}")
    uri = f"{host}/{pin.repository}@{digest}" if digest else f"{host}/{image}"
    return ContainerImage(uri=uri, registry=registry, repository=pin.repository, region=region)


@cache
def _read(package: str, name: str) -> dict[str, Any]:
    """Read a table that a package carries. Its code would have to load pandas or all of botocore: over a second."""
    return dict(json.loads(files(package).joinpath(name).read_text(encoding="utf-8")))
