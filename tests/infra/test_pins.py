"""Versions: what trains and exports here is what the containers have, and no two files pin the same package apart."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from stacks.common.container_image import TRAINING

ROOT = Path(__file__).resolve().parents[2]
# Installed in the Hugging Face training container of that tag (AWS deep-learning-containers release notes).
IN_THE_TRAINING_CONTAINER = {"datasets": "4.5.0", "evaluate": "0.4.6", "accelerate": "1.12.0"}
FILES = (
    "requirements.txt",
    "training_job/requirements.txt",
    "training_job/tracking.txt",
    "lambda/requirements.txt",
    "local/requirements.txt",
    "local/sampler.txt",
)


def pins(file: str) -> dict[str, str]:
    """Package → exact version in a requirements file."""
    lines = (re.split(r"#| --hash", line)[0].strip() for line in (ROOT / file).read_text().splitlines())
    return {
        re.sub(r"[-_.]+", "-", name).lower(): version
        for name, _, version in (line.partition("==") for line in lines if line)
    }


def test_transformers_is_the_training_containers() -> None:
    """The tag of the training image names the version that requirements.txt pins."""
    tag = TRAINING.tag
    assert f"-transformers{pins('requirements.txt')['transformers']}-" in tag


@pytest.mark.parametrize(("package", "version"), IN_THE_TRAINING_CONTAINER.items())
def test_other_training_packages_are_the_containers(package: str, version: str) -> None:
    """Training here uses what training on AWS uses."""
    assert pins("requirements.txt")[package] == version


@pytest.mark.parametrize("package", ["torch", "transformers", "datasets", "accelerate"])
def test_the_training_job_never_replaces_what_the_container_brings(package: str) -> None:
    """Another torch in the job's requirements would pull gigabytes into the container and break its CUDA."""
    assert package not in pins("training_job/requirements.txt") | pins("training_job/tracking.txt")


@pytest.mark.parametrize("file", FILES)
def test_every_requirement_is_pinned_exactly(file: str) -> None:
    """No range, no bare name."""
    assert [name for name, version in pins(file).items() if not re.fullmatch(r"[0-9][\w.]*", version)] == []


@pytest.mark.parametrize("file", FILES[1:])
def test_a_package_has_one_version_everywhere(file: str) -> None:
    """What a smaller environment pins is what the large one pins."""
    lock = (ROOT / "requirements.lock").read_text()
    everywhere = dict(re.findall(r"^([\w.-]+)==([\w.]+)", lock, re.MULTILINE)) | pins("requirements.txt")
    assert {name: everywhere.get(name) for name in pins(file)} == pins(file)


def test_the_cdk_command_line_is_pinned_exactly() -> None:
    """The latest aws-cdk is an accidental 3.0.0 that refuses current assemblies."""
    assert re.fullmatch(r"2\.\d+\.\d+", json.loads((ROOT / "package.json").read_text())["devDependencies"]["aws-cdk"])


def test_the_vendored_onnxruntime_is_the_one_that_made_the_model() -> None:
    """The artifact serves with the version that quantised it, and only the pinned wheels may be it."""
    text = (ROOT / "training_job/vendored.txt").read_text()
    assert f"onnxruntime=={pins('training_job/requirements.txt')['onnxruntime']} " in text
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", text)) == 2


def test_every_hub_model_has_a_revision() -> None:
    """Environments, the article's endpoint and the default in a container name a commit, which nobody can move."""
    from classifier.model.base_model import DEFAULT_HUB_MODEL
    from stacks.config.serving import ServingConfig

    blocks = json.loads((ROOT / "cdk.json").read_text())["context"]["environments"].values()
    named = [block["training"]["base_model"] for block in blocks] + [DEFAULT_HUB_MODEL]
    named += [ServingConfig.model_validate(block["serving"] | {"article": True}).hub_model for block in blocks]
    named += filter(None, (ServingConfig.model_validate(block["serving"]).hub_model for block in blocks))
    of_the_hub = [name for name in named if not name.startswith("package:")]
    assert len(of_the_hub) == 8
    assert [name for name in of_the_hub if not re.search(r"@[0-9a-f]{40}$", name)] == []
