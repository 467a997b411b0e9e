"""Tokens as GitHub gives them to workflows, and the roles that the local cloud gives for them.

The local cloud looks at a token's claims and not at its signature, so anybody can make one.
"""

from __future__ import annotations

import base64
import json
from typing import Any

REPOSITORY = "octo-org@123456/octo-repo@456789"
IN_ENVIRONMENT = f"repo:{REPOSITORY}:environment:local"
PULL_REQUEST = f"repo:{REPOSITORY}:pull_request"
DELIVERY = {"delivery.repository": REPOSITORY, "delivery.pull_requests": "true"}
ASKED_OF_ALL = ("cloudwatch:DescribeAlarms", "cloudwatch:GetDashboard", "ecr:DescribeRepositories")
"""AWS decides on them by resource, the local cloud on `*` alone."""


def token(subject: str, audience: str = "sts.amazonaws.com") -> str:
    """Return a token with these claims, signed by nobody."""
    claims = {"iss": "https://token.actions.githubusercontent.com", "aud": audience, "sub": subject}
    parts = ({"alg": "RS256", "typ": "JWT"}, claims)
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join((*texts, "signature"))


def taken(sts: Any, role: str, web_identity: str) -> dict[str, str]:
    """Return credentials of a role for a workflow with this token, as the action of AWS asks for them."""
    answer = sts.assume_role_with_web_identity(
        RoleArn=role, RoleSessionName="GitHubActions", WebIdentityToken=web_identity
    )
    keys = answer["Credentials"]
    return {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
