"""Small decisions of the emulator package: paths, conditions, traces, trust, dependencies."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ministack.services.cloudformation import engine, stacks

from local.emulator.access import decisions
from local.emulator.access.identity import scope_of, trusts_service
from local.emulator.cloudformation.stack_rules import evaluate_conditions
from local.emulator.functions.environments import error_type
from local.emulator.recovery.interrupted import final_status
from local.emulator.sagemaker_bridge import surroundings
from local.emulator.sagemaker_bridge.surroundings import CloudSurroundings, split_uri, target_path
from local.sagemaker.common.names import Scope
from local.sagemaker.common.surroundings import SurroundingsError

SAGEMAKER = "sagemaker.amazonaws.com"


def test_a_decision_stands_where_its_record_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """On a full disk nobody is refused what is allowed; the log names the file."""
    (tmp_path / "decisions.jsonl").symlink_to("/dev/full")
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "services"))
    decisions._file.cache_clear()
    try:
        decisions.note("root", "s3:GetObject", "*", allowed=True)
    finally:
        with suppress(OSError):
            decisions._file().close()
        decisions._file.cache_clear()
    assert "decisions.jsonl, cannot be written: No space left on device" in caplog.text


def test_an_event_is_not_earlier_than_what_it_tells_of() -> None:
    """EventBridge's time of it, where the clock was set back since."""
    told = 1000 * (time.time() + 240)
    bridge = CloudSurroundings("us-east-1")
    bridge.put_event(Scope("000000000000", "us-east-1"), "Changed", {"LastModifiedTime": told}, "arn")
    try:
        assert surroundings.event_time(time.time) == pytest.approx(told / 1000)
    finally:
        surroundings._newest_change[0] = 0.0
    assert surroundings.event_time(time.time) == pytest.approx(time.time(), abs=5)


@pytest.mark.parametrize(("uri", "expected"), [("s3://b/a/c", ("b", "a/c")), ("s3://b", ("b", ""))])
def test_an_s3_uri_is_bucket_and_key(uri: str, expected: tuple[str, str]) -> None:
    """Everything after the bucket is the key."""
    assert split_uri(uri) == expected


@pytest.mark.parametrize("uri", ["https://b/k", "s3://", "/tmp/x"])
def test_other_uris_are_refused(uri: str) -> None:
    """Anything that does not start with s3:// and a bucket."""
    with pytest.raises(SurroundingsError):
        split_uri(uri)


@pytest.mark.parametrize(
    ("prefix", "key", "expected"),
    [
        ("in/train/", "in/train/a/b.json", "a/b.json"),
        ("in/train.json", "in/train.json", "train.json"),
        ("in/tr", "in/train/x", "train/x"),
    ],
)
def test_objects_keep_their_place_below_the_prefix(tmp_path: Path, prefix: str, key: str, expected: str) -> None:
    """The key is cut at the prefix's last slash."""
    assert target_path(tmp_path, prefix, key) == tmp_path / expected


def test_a_key_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    """Dots in an object's key reach no other file."""
    with pytest.raises(SurroundingsError, match="leads out"):
        target_path(tmp_path, "in/", "in/../../etc/passwd")


@pytest.mark.parametrize(("value", "filled"), [("", False), ("a,b", True)])
def test_a_join_in_a_condition_is_evaluated(value: str, filled: bool) -> None:
    """CDK's bootstrap template tests in this way whether a list parameter is empty."""
    params = {"Policies": {"Value": value, "Type": "CommaDelimitedList"}}
    joined = {"Fn::Join": ["", {"Ref": "Policies"}]}
    conditions = {"Has": {"Fn::Not": [{"Fn::Equals": ["", joined]}]}, "Same": {"Fn::And": [{"Condition": "Has"}]}}
    evaluated = evaluate_conditions(engine._evaluate_conditions, {"Conditions": conditions}, params)
    assert evaluated == {"Has": filled, "Same": filled}


TRACE = """START
Traceback (most recent call last):
  File "/var/task/handler.py", line 3, in handler
    check()
  File "/var/task/handler.py", line 9, in check
    raise BadInput("no rows")
ingest.errors.BadInput: no rows
see the manual
"""


@pytest.mark.parametrize(
    ("log", "message", "expected"),
    [
        (TRACE, "no rows\nsee the manual", "BadInput"),
        ("Traceback (most recent call last):\n  x\nKeyError: 'a'\n", "'a'", "KeyError"),
        ("Traceback (most recent call last):\n  x\nValueError\n", "", "ValueError"),
        ("TypeError: x is not a function\n    at handler", "x is not a function", "TypeError"),
        ("nothing", "lost", ""),
    ],
)
def test_the_error_type_is_the_exceptions_class(log: str, message: str, expected: str) -> None:
    """A function's error carries the class name without its module, or nothing where the log has none."""
    assert error_type(log, message) == expected


def _trust(principal: Any, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole", **more}]}


SAME_ACCOUNT = {"StringEquals": {"aws:SourceAccount": "000000000000"}}


@pytest.mark.parametrize(
    ("policy", "trusted"),
    [
        (_trust({"Service": SAGEMAKER}), True),
        (_trust({"Service": ["lambda.amazonaws.com", SAGEMAKER]}), True),
        (_trust({"Service": "lambda.amazonaws.com"}), False),
        (_trust({"AWS": "arn:aws:iam::000000000000:root"}), False),
        (_trust({"Service": SAGEMAKER}, effect="Deny"), False),
        (_trust({"Service": SAGEMAKER}, Condition=SAME_ACCOUNT), True),
        (_trust({"Service": SAGEMAKER}, Condition={"StringEquals": {"aws:SourceAccount": "1"}}), False),
        ({"Statement": []}, False),
    ],
)
def test_a_role_trusts_the_services_it_names(policy: dict[str, Any], trusted: bool) -> None:
    """Only a service named by an allowing statement whose conditions hold is trusted."""
    assert trusts_service(policy, SAGEMAKER, {"aws:sourceaccount": "000000000000"}) is trusted


def test_account_and_region_are_read_from_an_arn() -> None:
    """Its fifth and fourth fields, where there are any."""
    assert scope_of("arn:aws:iam::123456789012:role/r") == ("123456789012", "")
    assert scope_of("arn:aws:sns:eu-west-1:123456789012:topic") == ("123456789012", "eu-west-1")
    assert scope_of("nonsense") == ("", "")


@pytest.mark.parametrize(
    ("status", "final"),
    [
        ("CREATE_IN_PROGRESS", "ROLLBACK_FAILED"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"),
        ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"),
        ("DELETE_IN_PROGRESS", "DELETE_FAILED"),
    ],
)
def test_an_interrupted_operation_ends_where_the_cdk_can_go_on(status: str, final: str) -> None:
    """The CDK can delete a creation, repeat an update and retry a deletion."""
    assert final_status(status) == final


def test_dependencies_are_followed_through_others() -> None:
    """A custom resource needs its function, the function its role and policy; nothing needs the bucket."""
    definitions = {
        "Empty": {"Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}}},
        "Function": {"Properties": {"Role": {"Ref": "Role"}}, "DependsOn": ["Policy"]},
        "Role": {},
        "Policy": {"Properties": {"Roles": [{"Ref": "Role"}]}},
        "Bucket": {},
    }
    found = stacks._with_dependencies(["Empty"], definitions, set(definitions))
    assert found == {"Empty", "Function", "Role", "Policy"}
