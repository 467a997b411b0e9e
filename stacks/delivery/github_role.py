"""A role that a workflow of one GitHub repository takes, by a token of GitHub instead of a stored key.

https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws
"""

from collections.abc import Iterable

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.permissions import Right, grant

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"


def github_role(
    scope: Construct, *, name: str, description: str, provider: str, subject: str, rights: Iterable[Right]
) -> iam.Role:
    """Create a role for the workflows whose token has exactly this subject.

    `provider`: ARN of GitHub's identity provider. `subject`: such as `repo:owner/name:environment:prod`; a pattern
    would let in others.
    """
    token = {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subject}
    role = iam.Role(
        scope,
        "Role",
        role_name=name,
        description=description,
        assumed_by=iam.WebIdentityPrincipal(provider, conditions={"StringEquals": token}),
    )
    grant(role, *rights)
    return role
