"""What stands for each container image on this machine: a program, and the variables that the image sets."""

import json
import re
from dataclasses import asdict
from functools import cache

from local.sagemaker.common.settings import ImageRule
from operations import paths
from operations.aws.deployment import PROJECT

DOCKERFILE = paths.ROOT / "container" / "Dockerfile"


@cache
def serving_images() -> dict[str, ImageRule]:
    """Return the stand-in of each container (`serving.container` in cdk.json)."""
    instructions = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    return {
        # A program that calls the hooks in the artifact's `code/inference.py`.
        "huggingface": ImageRule(
            image="*/huggingface-pytorch-inference[:@]*",
            kind="serving",
            python=str(paths.PYTHON),
            command=(str(paths.ROOT / "local" / "containers" / "huggingface.py"), "serve"),
        ),
        # ENTRYPOINT, CMD and ENV of the image; -I and -S let it import nothing but what it brings. Not its user: a
        # process here keeps the person's.
        "slim": ImageRule(
            image=f"*/{PROJECT}-*-serving:*",
            kind="serving",
            python=str(paths.PYTHON),
            command=("-I", "-S", str(paths.ROOT / "build" / "slim"), "serve"),
            environment=dict(re.findall(r"^ENV (GLIBC_\w+)=(\S+)$", instructions, re.MULTILINE)),
        ),
    }


def write_image_map() -> None:
    """Tell the local cloud which program stands for which image.

    A training image is AWS's own toolkit, which starts train.py, with the project's environment. The container's older
    versions are used by tests/e2e/test_container_versions.py.
    """
    training = ImageRule(
        image="*/huggingface-pytorch-training[:@]*",
        kind="training",
        python=str(paths.PYTHON),
        environment={
            "PYTHONPATH": str(paths.ROOT / "build" / "toolkit"),
            "SAGEMAKER_TRAINING_MODULE": "sagemaker_pytorch_container.training:main",
        },
    )
    images = [asdict(rule) for rule in (training, *serving_images().values())]
    paths.LOCAL.mkdir(parents=True, exist_ok=True)
    paths.IMAGES.write_text(json.dumps(images, indent=2) + "\n", encoding="utf-8")
