"""The image map and the parts that read it."""

from __future__ import annotations

import json
import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from local.sagemaker.common.errors import FailedError
from local.sagemaker.common.settings import ImageRule, Settings, load_image_map
from local.server import parse_arguments
from operations import paths
from operations.local_cloud import images as local_cloud

TRAINING = ImageRule(image="*pytorch-training*", kind="training", python=sys.executable)
SERVING = ImageRule(image="*pytorch-inference*", kind="serving", python=sys.executable, command=("serve.py",))


def test_map_is_read_from_a_file(tmp_path: Path) -> None:
    """A JSON list of rules becomes rules, in order."""
    entries = [
        {"image": "a*", "kind": "training", "python": "/p"},
        {"image": "b*", "kind": "serving", "python": "/p", "command": ["s.py", "serve"], "environment": {"X": "1"}},
    ]
    (tmp_path / "images.json").write_text(json.dumps(entries))
    first, second = load_image_map(tmp_path / "images.json")
    assert first == ImageRule(image="a*", kind="training", python="/p")
    assert (second.command, second.environment) == (("s.py", "serve"), {"X": "1"})


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"image": "a", "kind": "training"}, "missing 1 required keyword-only argument: 'python'"),
        ({"image": "a", "kind": "training", "python": "/p", "pyhton": "/q"}, "unexpected keyword argument 'pyhton'"),
        ({"image": "a", "kind": "batch", "python": "/p"}, "kind is"),
        ({"image": "a", "kind": "serving", "python": "/p"}, "needs a command"),
    ],
)
def test_broken_entries_are_explained(tmp_path: Path, entry: dict[str, Any], words: str) -> None:
    """The error for an invalid rule says what is wrong with it."""
    (tmp_path / "images.json").write_text(json.dumps([entry]))
    with pytest.raises(ValueError, match=re.escape(words)):
        load_image_map(tmp_path / "images.json")


def with_images(*rules: ImageRule) -> Settings:
    return Settings(state_dir=Path("/"), log_dir=Path("/"), endpoint_url="", images=rules)


def test_first_fitting_rule_of_the_kind() -> None:
    """Image and kind decide; the account and tag of the image do not matter."""
    image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-inference:2.6.0-cpu"
    settings = with_images(TRAINING, SERVING)
    assert settings.image_rule(image, "serving") is SERVING
    with pytest.raises(FailedError, match=r"Images it knows: \*pytorch-training\*\."):
        settings.image_rule(image, "training")


def test_missing_interpreter_is_named() -> None:
    """A rule whose interpreter does not exist is an error that names the file."""
    rule = ImageRule(image="*", kind="training", python="/no/python")
    with pytest.raises(FailedError, match="/no/python"):
        with_images(rule).image_rule("x", "training")


@pytest.mark.parametrize("version", [":2.6.0-cpu", "@sha256:" + "1f" * 32])
def test_the_official_inference_image_is_stood_for_by_the_stand_in(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image map that operations write starts local/containers/huggingface.py for it, by absolute path."""
    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    monkeypatch.setattr(paths, "IMAGES", tmp_path / "images.json")
    local_cloud.write_image_map()
    rules = load_image_map(tmp_path / "images.json")
    image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-inference" + version
    (rule,) = [rule for rule in rules if rule.kind == "serving" and fnmatchcase(image, rule.image)]
    program, argument = rule.command
    assert Path(program).is_absolute() and Path(program).is_file()
    assert (Path(program).name, argument) == ("huggingface.py", "serve")


def test_the_slim_image_runs_with_its_own_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The image map that operations write has the ENV of its Dockerfile."""
    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    monkeypatch.setattr(paths, "IMAGES", tmp_path / "images.json")
    local_cloud.write_image_map()
    rules = load_image_map(tmp_path / "images.json")
    (rule,) = [rule for rule in rules if rule.image.endswith("-serving:*")]
    assert set(rule.environment) == {"GLIBC_TUNABLES"}


def server_options(*arguments: str) -> Any:
    """The server's options with what is required."""
    return parse_arguments(["--state-dir", "state", "--images", "images.json", *arguments])


def test_the_start_time_of_endpoints_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default is AWS's 180 s. LOCAL_ENDPOINT_START_SECONDS overrides it, and the server's option overrides both."""
    monkeypatch.delenv("LOCAL_ENDPOINT_START_SECONDS", raising=False)
    assert server_options().endpoint_start_seconds == 180.0
    monkeypatch.setenv("LOCAL_ENDPOINT_START_SECONDS", "20")
    assert server_options().endpoint_start_seconds == 20.0
    assert server_options("--endpoint-start-seconds", "5.5").endpoint_start_seconds == 5.5


def test_the_accounts_concurrency_can_be_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """1,000 executions as on AWS, or LOCAL_LAMBDA_CONCURRENCY, or the option; what is no such number is refused."""
    monkeypatch.delenv("LOCAL_LAMBDA_CONCURRENCY", raising=False)
    assert server_options().lambda_concurrency == 1000
    monkeypatch.setenv("LOCAL_LAMBDA_CONCURRENCY", "10")
    assert server_options().lambda_concurrency == 10
    assert server_options("--lambda-concurrency", "50").lambda_concurrency == 50
    for value in ("0", "-1", "many", "1.5", "100001"):
        with pytest.raises(SystemExit):
            server_options("--lambda-concurrency", value)
        assert f"'{value}' is no number of executions; allowed: 1 to 100000" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0", "-1", "soon", "nan", "3601"])
def test_a_start_time_that_cannot_be_meant(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A start time that is not a number of seconds in the range is refused, and the message says what is allowed."""
    with pytest.raises(SystemExit):
        server_options("--endpoint-start-seconds", value)
    assert f"'{value}' is no number of seconds; allowed: above 0, up to 3600" in capsys.readouterr().err
