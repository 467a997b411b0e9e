"""The delivery block of the configuration: which GitHub repository may deploy."""

from typing import Annotated

from stacks.config.fields import Section, matching

_REPOSITORY = r"|[A-Za-z0-9-]+/[\w.-]+|[A-Za-z0-9-]+@[0-9]+/[\w.-]+@[0-9]+"


class DeliveryConfig(Section):
    """Roles for the workflows of one GitHub repository, in a stack of their own."""

    repository: Annotated[str, matching(_REPOSITORY, "owner/name, owner@id/name@id, or nothing")] = ""
    """Repository whose GitHub environment of this environment's name may deploy it. One that was created or renamed
    since 15 July 2026 calls itself `owner@id/name@id`. Empty: there is no such stack."""
    pull_requests: bool = False
    """Whether its pull requests get a role for `cdk diff`. It reads what CDK's lookup role reads: nearly all of the
    account, data included."""
    existing_provider: bool = False
    """Whether the account has GitHub's OIDC provider already, of which it can have only one: true for each further
    environment in it."""
