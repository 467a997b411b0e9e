"""Misspelt keys of the configuration: refused, with the name that was probably meant; other people's keys are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

import app as project
from stacks.config.environment import Config, load_config
from stacks.errors import ConfigError


def load(context: dict[str, Any], **given: object) -> Config:
    values = {**context, **given}
    return load_config(values.get, {}, values)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("serving.memry_mb", "serving.memory_mb"),
        ("serving.instances.min_cont", "serving.instances.min_count"),
        ("servng.memory_mb", "serving.memory_mb"),
        ("memory_mb", "serving.memory_mb"),
        ("log_retention_day", "log_retention_days"),
        ("serving", "serving.container"),
    ],
)
def test_misspelt_key_on_the_command_line_is_refused(cdk_context: dict[str, Any], key: str, meant: str) -> None:
    """A key that would change nothing is refused by name, with the nearest name that exists."""
    with pytest.raises(ConfigError, match=meant) as caught:
        load(cdk_context, **{key: "1024"})
    assert caught.value.field == key


def test_unknown_key_of_a_section_lists_the_known_ones(cdk_context: dict[str, Any]) -> None:
    """Where no name is near, those of the section are listed."""
    with pytest.raises(ConfigError, match=r"the names here are: release\.poll_seconds"):
        load(cdk_context, **{"release.xyz": "1"})


def test_misspelt_key_in_cdk_json_is_refused(cdk_context: dict[str, Any]) -> None:
    """The same holds for a block of cdk.json."""
    blocks = cdk_context["environments"]
    dev = {**blocks["dev"], "serving": {**blocks["dev"]["serving"], "memry_mb": 1024}}
    with pytest.raises(ConfigError, match=r"did you mean serving\.memory_mb\?") as caught:
        load({**cdk_context, "environments": {**blocks, "dev": dev}})
    assert caught.value.field == "serving.memry_mb"


@pytest.mark.parametrize(
    "key",
    ["@aws-cdk/core:checkSecretUsage", "aws:cdk:bundling-stacks", "availability-zones:account=1", "team", "acme.flag"],
)
def test_keys_of_others_are_left_alone(cdk_context: dict[str, Any], key: str) -> None:
    """Feature flags, the CDK's own keys and somebody else's are no mistakes."""
    assert load(cdk_context, **{key: "x"}) == load(cdk_context)


def test_app_checks_the_keys_of_its_context(cdk_context: dict[str, Any], tmp_path: Path) -> None:
    """`cdk synth -c serving.memry_mb=1024` ends with one line that says what was meant."""
    app = App(context={**cdk_context, "serving.memry_mb": "1024"}, outdir=str(tmp_path))
    with pytest.raises(SystemExit) as caught:
        project.run(app)
    assert caught.value.code == (
        "error: configuration: serving.memry_mb: is not known; did you mean serving.memory_mb?"
    )
