"""IAM is real: a right that is taken away breaks exactly that, and comes back with the right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

pytestmark = pytest.mark.e2e
ARTICLE = "This was a Christmas gift for my grandson."


def actions(statement: dict[str, Any]) -> list[str]:
    """The actions of a policy statement, as a list."""
    found = statement["Action"]
    return [found] if isinstance(found, str) else found


@contextmanager
def without(project: Any, role: str, prefix: str) -> Iterator[None]:
    """Take every action that begins with `prefix` from the role's inline policies, for a while."""
    iam = project.client("iam")
    originals = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    taken = 0
    try:
        for name, document in originals.items():
            statements = []
            for statement in document["Statement"]:
                kept = [action for action in actions(statement) if not action.startswith(prefix)]
                taken += len(actions(statement)) - len(kept)
                if kept:
                    statements.append({**statement, "Action": kept})
            if statements:
                iam.put_role_policy(
                    RoleName=role, PolicyName=name, PolicyDocument=json.dumps({**document, "Statement": statements})
                )
            else:
                iam.delete_role_policy(RoleName=role, PolicyName=name)
        assert taken, f"role {role} had no action {prefix}*"
        yield
    finally:
        for name, document in originals.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def role_of_predict(project: Any) -> str:
    """Name of the role that the predict Lambda runs with."""
    functions = project.client("lambda").list_functions()["Functions"]
    predict = next(f for f in functions if f["Handler"] == "predict.handler.handler")
    return predict["Role"].rsplit("/", 1)[-1]


def test_without_invoke_endpoint_only_predictions_break(project: Any) -> None:
    """The API answers 5xx without a trace of the inside, health still answers, and the right restores everything."""
    assert project.post({"inputs": ARTICLE}).status_code == 200
    with without(project, role_of_predict(project), "sagemaker:InvokeEndpoint"):
        refused = project.post({"inputs": ARTICLE})
        assert refused.status_code in (500, 502)
        assert "arn:aws" not in refused.text
        assert requests.get(f"{project.status['api_url']}/v1/health", timeout=30).status_code == 200
    assert project.post({"inputs": ARTICLE}).status_code == 200


def test_without_s3_read_the_training_job_fails_with_the_reason(project: Any) -> None:
    """The job cannot download its data, says so, and nothing is released."""
    role = project.outputs("training")["TrainingRoleArn"].rsplit("/", 1)[-1]
    before = project.post({"inputs": ARTICLE}).json()["model"]["version"]
    with without(project, role, "s3:GetObject"):
        done = project.make("train", "HYPERPARAMETERS=epochs=1", check=False)
    assert done.returncode != 0
    assert "AccessDenied" in done.stdout or "not authorized" in done.stdout or "Access Denied" in done.stdout
    assert project.post({"inputs": ARTICLE}).json()["model"]["version"] == before
