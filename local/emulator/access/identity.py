"""Role sessions and policy decisions on top of ministack's IAM."""

import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_region
from ministack.services import iam, sts

from local.emulator.common.errors import CannotAssumeRoleError

SESSION_SECONDS = 12 * 3600  # life of a role session made here; the longest that AWS gives


@dataclass(frozen=True)
class Credentials:
    """Keys to sign requests with."""

    access_key_id: str
    secret_access_key: str
    session_token: str = ""


def root_credentials() -> Credentials:
    """Return the key of the account's root user, from the environment that ministack reads it from too."""
    return Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])


def scope_of(arn: str) -> tuple[str, str]:
    """Return the account and the region of an ARN, empty where it has none."""
    _, _, _, region, account, *_ = [*arn.split(":"), *[""] * 5]
    return account, region


def trusts_service(trust_policy: Mapping[str, Any] | str, service: str, context: Mapping[str, Any]) -> bool:
    """Return whether a role's trust policy lets the service principal `service` assume it.

    ministack's own check takes every `Service` entry for the account's root and cannot answer this.
    `context`: condition keys of the request, in lower case.
    """
    document = json.loads(trust_policy) if isinstance(trust_policy, str) else trust_policy
    evaluation = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account="",
        action="sts:AssumeRole",
        resource_arn="*",
        region="",
        service_context=dict(context),
    )
    effects = [
        statement.get("Effect")
        for statement in _as_list(document.get("Statement", []))
        if iam_evaluator._action_matches("sts:AssumeRole", _as_list(statement.get("Action", [])), [])
        and iam_evaluator._service_principal_matches(statement.get("Principal"), service)
        and iam_evaluator._conditions_met(statement.get("Condition", {}), evaluation)
    ]
    return bool(effects) and "Deny" not in effects


def check_service_role(role_arn: str, service: str) -> None:
    """Raise CannotAssumeRoleError unless the role exists and trusts `service` (e.g. `sagemaker.amazonaws.com`)."""
    account, _ = scope_of(role_arn)
    role = iam._roles.get_scoped(account, None, role_arn.rsplit("/", 1)[-1])
    if role is None or not trusts_service(role["AssumeRolePolicyDocument"], service, {"aws:sourceaccount": account}):
        raise CannotAssumeRoleError(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{service}' to assume the role."
        )


def assume_service_role(role_arn: str, service: str, session_name: str) -> Credentials:
    """Return temporary credentials with which `service` acts as the role. Raises CannotAssumeRoleError."""
    check_service_role(role_arn, service)
    role_name = role_arn.rsplit("/", 1)[-1]
    return act_as(f"arn:aws:sts::{scope_of(role_arn)[0]}:assumed-role/{role_name}/{session_name[:64]}")


def act_as(principal_arn: str) -> Credentials:
    """Return credentials of a principal that is authenticated already."""
    if principal_arn.endswith(":root"):
        return root_credentials()
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


def denial(access_key_id: str, action: str, resource: str, context: Mapping[str, Any] | None = None) -> str:
    """Return AWS's message where the identity policies of a caller forbid an action, else an empty string.

    The caller is authenticated already, and belongs to the account and region of the request at hand.
    `context`: condition keys of the action, e.g. `{"iam:PassedToService": "sagemaker.amazonaws.com"}`.
    """
    refusal = iam_evaluator.enforce(
        access_key_id, action, "", get_region(), resource_arn=resource, service_context=dict(context or {})
    )
    if isinstance(refusal, iam_evaluator.AuthError):
        return refusal.message or str(refusal.code)
    if refusal is None:
        return ""
    return str(iam_actions.identity_denial_message(action, refusal.principal_arn, resource, False))


def pass_role_denial(access_key_id: str, role_arn: str, service: str) -> str:
    """Return why the caller may not pass `role_arn` to `service`, or an empty string; ministack never checks this."""
    return denial(access_key_id, "iam:PassRole", role_arn, {"iam:PassedToService": service})


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
