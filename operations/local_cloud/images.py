"""What stands for each container image on this machine: a program, and the variables that the image sets."""

import json
import re
from dataclasses import dataclass, field
from functools import cache

from operations import paths
from operations.aws.deployment import PROJECT

DOCKERFILE = paths.ROOT / "container" / "Dockerfile"


@dataclass(frozen=True)
class ServingImage:
    """How the server of an image is started."""

    pattern: str
    """Of the image's address, for `fnmatch`."""
    arguments: tuple[str, ...]
    """For the project's interpreter."""
    environment: dict[str, str] = field(default_factory=dict)


@cache
def serving_images() -> dict[str, ServingImage]:
    """Return the stand-in of each container (`serving.container` in cdk.json)."""
    instructions = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    return {
        # A program that calls the hooks in the artifact's `code/inference.py`.
        "huggingface": ServingImage(
            "*/huggingface-pytorch-inference[:@]*",
            (str(paths.ROOT / "local" / "containers" / "huggingface.py"), "serve"),
        ),
        # ENTRYPOINT, CMD and ENV of the image; -I and -S let it import nothing but what it brings. Not its user: a
        # process here keeps the person's.
        "slim": ServingImage(
            f"*/{PROJECT}-*-serving:*",
            ("-I", "-S", str(paths.ROOT / "build" / "slim"), "serve"),
            dict(re.findall(r"^ENV (GLIBC_\w+)=(\S+)$", instructions, re.MULTILINE)),
        ),
    }


def write_image_map() -> None:
    """Tell the local cloud which program stands for which image.

    A training image is AWS's own toolkit, which starts train.py, with the project's environment. The container's older
    versions are used by tests/e2e/test_container_versions.py.
    """
    python = str(paths.PYTHON)
    images = [
        {
            "image": "*/huggingface-pytorch-training[:@]*",
            "kind": "training",
            "python": python,
            "environment": {
                "PYTHONPATH": str(paths.ROOT / "build" / "toolkit"),
                "SAGEMAKER_TRAINING_MODULE": "sagemaker_pytorch_container.training:main",
            },
        },
        *(
            {
                "image": image.pattern,
                "kind": "serving",
                "python": python,
                "command": image.arguments,
                "environment": image.environment,
            }
            for image in serving_images().values()
        ),
    ]
    paths.LOCAL.mkdir(parents=True, exist_ok=True)
    paths.IMAGES.write_text(json.dumps(images, indent=2) + "\n", encoding="utf-8")
