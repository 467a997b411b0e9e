"""`make config` shows what a deployment reads, and where each value comes from; a misspelt one ends every command."""

from __future__ import annotations

import json

import pytest

from operations.__main__ import main
from operations.local_cloud import process
from operations.verbs.deployment import config as verb
from stacks.config.environment import Config
from stacks.config.fields import dotted_names


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    """No region is set but AWS_REGION."""
    for name in verb.REGIONS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")


def shown(capsys: pytest.CaptureFixture[str], env: str = "dev") -> dict[str, tuple[object, str]]:
    """Name → value and origin."""
    assert main(["config", "--env", env, "--json"]) == 0
    return {row["name"]: (row["value"], row["from"]) for row in json.loads(capsys.readouterr().out)}


def test_every_value_has_its_origin(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """CONTEXT goes before cdk.json, that before the default; the region is the environment's."""
    monkeypatch.setenv("CONTEXT", "serving.memory_mb=1024 api.clients=a,b")
    found = shown(capsys)
    assert set(found) == set(dotted_names(Config))
    assert found["serving.memory_mb"] == (1024, "CONTEXT")
    assert found["api.clients"] == (["a", "b"], "CONTEXT")
    assert found["serving.max_concurrency"] == (5, "cdk.json")
    assert found["serving.instances.min_count"] == (2, "default")
    assert found["region"] == ("eu-central-1", "AWS_REGION")
    assert found["env"] == ("dev", "ENV")


def test_a_value_that_another_one_decides_names_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The article's endpoint wins over cdk.json; the slim image leaves onnxruntime out of the package."""
    monkeypatch.setenv("CONTEXT", "serving.article=true")
    found = shown(capsys)
    assert found["serving.memory_mb"] == (4096, "serving.article")
    monkeypatch.setenv("CONTEXT", "serving.container=slim")
    assert shown(capsys)["training.hyperparameters"] == ({"vendor_onnxruntime": "no"}, "serving.container")


def test_people_read_a_line_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    """Name, origin, value."""
    assert main(["config", "--env", "prod"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(dotted_names(Config))
    assert ["gate.approval", "cdk.json", '"manual"'] in [line.split() for line in lines]


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ("serving.memry_mb=1024", "did you mean serving.memory_mb?"),
        ("serving.memory_mb=1000", "1024, 2048, 3072"),
        ("serving.memory_mb", "NAME=VALUE"),
        ("=1024", "NAME=VALUE"),
    ],
)
@pytest.mark.parametrize("command", ["config", "deploy", "up"])
def test_a_wrong_value_ends_a_command_before_anything_starts(
    context: str, said: str, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, with the name or the values that exist; the local cloud is not started."""
    monkeypatch.setattr(process, "start", lambda port: pytest.fail("the local cloud was started"))
    monkeypatch.setenv("CONTEXT", context)
    assert main([command]) == 1
    assert said in capsys.readouterr().err


def test_an_unknown_environment_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With those of cdk.json."""
    assert main(["config", "--env", "staging"]) == 1
    assert "local, dev, prod" in capsys.readouterr().err
