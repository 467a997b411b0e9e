"""Delivery: the roles with which a GitHub repository deploys. Exists where `delivery.repository` is set.

Nothing else depends on it, and it depends on nothing: a person deploys it before the first workflow runs.
"""

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.names import arn
from stacks.common.project_stack import ProjectStack, add_outputs
from stacks.config.environment import Config
from stacks.delivery.github_role import AUDIENCE, ISSUER, github_role
from stacks.delivery.rights import assume_bootstrap_roles, check_deployments


class DeliveryStack(ProjectStack):
    """GitHub's identity provider, a role that deploys, and one that reads for pull requests."""

    def __init__(self, scope: Construct, *, config: Config) -> None:
        """Create the roles of one environment."""
        super().__init__(scope, "delivery", config=config)
        names, delivery = self.names, config.delivery
        provider = arn(self, "iam", f"oidc-provider/{ISSUER}", regional=False)
        if not delivery.existing_provider:
            provider = iam.CfnOIDCProvider(self, "GitHub", url=f"https://{ISSUER}", client_id_list=[AUDIENCE]).attr_arn
        deploy = [assume_bootstrap_roles(self, "deploy", "file-publishing"), *check_deployments(self, names.prefix)]
        roles = [("Deployment", f"Deploys {names.prefix} from GitHub", f"environment:{config.env}", deploy)]
        if delivery.pull_requests:
            read = [assume_bootstrap_roles(self, "lookup")]
            roles.append(("Diff", f"Compares {names.prefix} with a pull request", "pull_request", read))
        for part, description, subject, rights in roles:
            role = github_role(
                Construct(self, part),
                name=names.global_name(f"{names.prefix}-{part.lower()}"),
                description=description,
                provider=provider,
                subject=f"repo:{delivery.repository}:{subject}",
                rights=rights,
            )
            add_outputs(self, {f"{part}RoleArn": role.role_arn})
