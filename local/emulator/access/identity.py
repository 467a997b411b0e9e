"""Who acts, and whether they may: role sessions and policy decisions on top of ministack's IAM."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam, sts

from local.emulator.common.errors import CannotAssumeRole

SESSION_SECONDS = 12 * 3600
"""Life of a role session made here; the longest AWS gives."""


@dataclass(frozen=True)
class Credentials:
    """Keys to sign requests with."""

    access_key_id: str
    secret_access_key: str
    session_token: str = ""

    def as_environment(self) -> dict[str, str]:
        """The three variables every AWS SDK reads."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }


@dataclass(frozen=True)
class Denial:
    """A policy decision against the caller; `message` is worded as AWS does."""

    message: str


def root_credentials() -> Credentials:
    """The key of the account's root, which ministack reads from its own environment."""
    return Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])


def account_of(arn: str) -> str:
    """Account field of an ARN (``""`` where it has none)."""
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 else ""


def trusts_service(trust_policy: Mapping[str, Any] | str, service: str, context: Mapping[str, Any]) -> bool:
    """Whether a role's trust policy lets the service principal `service` assume it.

    ministack's own check takes every ``Service`` entry for the account's root, so it cannot answer this.
    `context`: condition keys of the request, in lower case.
    """
    document = json.loads(trust_policy) if isinstance(trust_policy, str) else trust_policy
    statements = document.get("Statement", [])
    evaluation = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account="",
        action="sts:AssumeRole",
        resource_arn="*",
        region="",
        service_context=dict(context),
    )
    allowed = False
    for statement in [statements] if isinstance(statements, dict) else statements:
        actions = statement.get("Action", [])
        if not iam_evaluator._action_matches("sts:AssumeRole", [actions] if isinstance(actions, str) else actions, []):
            continue
        if not iam_evaluator._service_principal_matches(statement.get("Principal"), service):
            continue
        if not iam_evaluator._conditions_met(statement.get("Condition", {}), evaluation):
            continue
        if statement.get("Effect") == "Deny":
            return False
        allowed = True
    return allowed


def check_service_role(role_arn: str, service: str) -> None:
    """Raise CannotAssumeRole unless the role exists and trusts `service` (e.g. ``sagemaker.amazonaws.com``)."""
    account = account_of(role_arn)
    role = iam._roles.get_scoped(account, None, role_arn.rsplit("/", 1)[-1])
    context = {"aws:sourceaccount": account}
    if role is None or not trusts_service(role["AssumeRolePolicyDocument"], service, context):
        raise CannotAssumeRole(role_arn, service)


def assume_service_role(role_arn: str, service: str, session_name: str) -> Credentials:
    """Temporary credentials with which `service` acts as the role. Raises CannotAssumeRole."""
    check_service_role(role_arn, service)
    role_name = role_arn.rsplit("/", 1)[-1]
    return _register(f"arn:aws:sts::{account_of(role_arn)}:assumed-role/{role_name}/{session_name[:64]}")


def act_as(principal_arn: str) -> Credentials:
    """Credentials for a principal that already proved who it is (a caller whose request is being carried out)."""
    if principal_arn.endswith(":root"):
        return root_credentials()
    return _register(principal_arn)


def _register(principal_arn: str) -> Credentials:
    credentials = Credentials(f"ASIA{secrets.token_hex(8).upper()}", secrets.token_hex(20), secrets.token_hex(32))
    sts.register_session(
        credentials.access_key_id,
        {
            "Arn": principal_arn,
            "UserId": principal_arn.rsplit(":", 1)[-1],
            "SecretAccessKey": credentials.secret_access_key,
            "SessionToken": credentials.session_token,
            "Expiration": time.time() + SESSION_SECONDS,
        },
    )
    return credentials


def decide(
    access_key_id: str,
    action: str,
    resource: str,
    *,
    account: str,
    region: str,
    context: Mapping[str, Any] | None = None,
) -> Denial | None:
    """Evaluate the identity policies of a caller already authenticated; None means allowed.

    `context`: condition keys of this request, e.g. ``{"iam:PassedToService": "sagemaker.amazonaws.com"}``.
    """
    principal = iam_evaluator.resolve_principal(access_key_id, account)
    if isinstance(principal, iam_evaluator.AuthError):
        return Denial(principal.message)
    if principal.policies is None:  # the root user: no policy applies
        return None
    evaluation = iam_evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=action,
        resource_arn=resource,
        region=region,
        service_context={key.lower(): value for key, value in (context or {}).items()},
        principal_keys=principal.keys,
    )
    result = iam_evaluator.evaluate(evaluation, principal.policies, *principal.limits)
    if result.decision == "Allow":
        return None
    reason = (
        "with an explicit deny in an identity-based policy"
        if result.decision == "Deny"
        else f"because no identity-based policy allows the {action} action"
    )
    return Denial(f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource} {reason}")


def may_pass_role(access_key_id: str, role_arn: str, service: str, *, account: str, region: str) -> Denial | None:
    """Whether the caller may hand `role_arn` to `service` (``iam:PassRole``); ministack never asks this."""
    context = {"iam:PassedToService": service}
    return decide(access_key_id, "iam:PassRole", role_arn, account=account, region=region, context=context)
