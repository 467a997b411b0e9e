"""Container images: the pins are what the SageMaker SDK's table lists, in every region."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from stacks.common import container_image
from stacks.common.container_image import INFERENCE, TRAINING, PinnedImage, resolve_image
from stacks.errors import ImageNotFoundError

PINS = [INFERENCE, TRAINING]
REGIONS = {
    "us-east-1": "763104351884.dkr.ecr.us-east-1.amazonaws.com",
    "ap-east-1": "871362719292.dkr.ecr.ap-east-1.amazonaws.com",
    "il-central-1": "780543022126.dkr.ecr.il-central-1.amazonaws.com",
    "cn-north-1": "727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn",
}


@pytest.mark.parametrize("pin", PINS, ids=lambda pin: pin.repository)
def test_pinned_image_is_in_the_sdks_table(pin: PinnedImage) -> None:
    """The `sagemaker` package names this very image in every region; when it no longer does, the pin is out of date."""
    from sagemaker.core import image_uris

    framework, transformers, processor, python, *_ = pin.tag.split("-")
    request = {
        "version": transformers.removeprefix("transformers"),
        "base_framework_version": f"pytorch{framework}",
        "py_version": python,
        "instance_type": {"cpu": "ml.m5.large", "gpu": "ml.g4dn.xlarge"}[processor],
        "image_scope": pin.scope,
    }
    for region in REGIONS:
        assert resolve_image(pin, region).uri == image_uris.retrieve("huggingface", region, **request)


@pytest.mark.parametrize(("region", "registry"), REGIONS.items())
def test_registry_follows_the_region(region: str, registry: str) -> None:
    """The registry's account and domain are the region's own, not copied from us-east-1."""
    assert resolve_image(INFERENCE, region).uri == f"{registry}/{INFERENCE.repository}:{INFERENCE.tag}"


def test_unknown_region_is_named() -> None:
    """A region without these images is an error that names region and image."""
    with pytest.raises(ImageNotFoundError, match=re.escape(INFERENCE.tag)) as caught:
        resolve_image(INFERENCE, "mars-north-1")
    assert caught.value.region == "mars-north-1"


def test_tag_that_contradicts_the_table_is_refused() -> None:
    """A version, or a build of it, that AWS does not offer does not reach a template."""
    with pytest.raises(ImageNotFoundError, match=r"does not list '9\.9\.9'"):
        resolve_image(dataclasses.replace(INFERENCE, tag="2.6.0-transformers9.9.9-cpu-py312-ubuntu22.04"), "us-east-1")
    with pytest.raises(ImageNotFoundError, match="instead"):
        resolve_image(dataclasses.replace(INFERENCE, tag="2.6.0-transformers5.5.3-cpu-py312-ubuntu20.04"), "us-east-1")


def test_pull_permission_names_one_repository() -> None:
    """The ARN for pull rights is that of the image's repository in its registry."""
    arn = resolve_image(INFERENCE, "eu-west-1").repository_arn("aws")
    assert arn == "arn:aws:ecr:eu-west-1:763104351884:repository/huggingface-pytorch-inference"


def test_the_stacks_name_an_image_by_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file has one for this tag in this region; after a change of the tag, or elsewhere, by the tag."""
    digest = "sha256:" + "1f" * 32
    listed = resolve_image(INFERENCE, "eu-west-1").uri
    monkeypatch.setattr(container_image, "DIGESTS", tmp_path / "digests.json")
    container_image.DIGESTS.write_text(json.dumps({listed: digest}))
    image = resolve_image(INFERENCE, "eu-west-1")
    assert image.uri == f"{listed.rpartition(':')[0]}@{digest}"
    assert image.repository_arn("aws").endswith(f":repository/{INFERENCE.repository}")
    assert resolve_image(INFERENCE, "us-east-1").uri.endswith(f":{INFERENCE.tag}")
