"""The names of all resources and the patterns of their ARNs, each written once.

Stacks know each other's resources by these names, not by references: a reference would tie one stack's update to the
other's.
"""

from __future__ import annotations

from aws_cdk import Stack
from constructs import Construct

from stacks.config.environment import Config


def stack_name(config: Config, part: str) -> str:
    """Return the name of one of the environment's stacks."""
    return f"{config.prefix}-{part}"


def bucket_arn(scope: Construct, bucket: str) -> str:
    """Return the ARN of a bucket that another template or account owns."""
    return f"arn:{Stack.of(scope).partition}:s3:::{bucket}"


def log_group_arn(scope: Construct, log_group: str) -> str:
    """Return the ARN of a log group and the streams in it."""
    return arn(scope, "logs", f"log-group:{log_group}:*")


def arn(scope: Construct, service: str, resource: str, *, regional: bool = True) -> str:
    """Return an ARN in the account, region and partition of a construct's stack."""
    stack = Stack.of(scope)
    return f"arn:{stack.partition}:{service}:{stack.region if regional else ''}:{stack.account}:{resource}"


class Names:
    """Names and ARNs of one environment, as one of its stacks spells them.

    Attributes:
        prefix: first part of every name.
        endpoint: name of the endpoint. It contains the kind, because SageMaker cannot turn an endpoint of one kind into
            the other: another name makes CloudFormation replace it.
        serving_stack: name of the stack whose parameter says which model package is the champion.
        image_repository: name of the repository of the slim serving image.
        package_group: name of the model package group.
        model_role: name of the served model's role; the serving stack builds its ARN from it and holds no IAM.
        release: name of the release workflow and of the role under which CloudFormation changes the endpoint.
        training: name of the training workflow and of the role of its jobs.
        topic: name of the notification topic.
        recipe: name of the SSM parameter with the training recipe.
    """

    def __init__(self, scope: Construct, config: Config) -> None:
        self._scope = scope
        self.prefix = prefix = config.prefix
        self.endpoint = prefix if config.serving.kind == "serverless" else f"{prefix}-{config.serving.kind}"
        self.serving_stack = stack_name(config, "serving")
        self.image_repository = f"{prefix}-serving"
        self.package_group = prefix
        self.model_role = f"{prefix}-model"
        self.release = f"{prefix}-release"
        self.training = f"{prefix}-training"
        self.topic = f"{prefix}-notifications"
        self.recipe = f"/{prefix}/training-recipe"

    @property
    def endpoint_arn(self) -> str:
        """ARN of the endpoint."""
        return self.sagemaker_arn(f"endpoint/{self.endpoint}")

    @property
    def package_group_arn(self) -> str:
        """ARN of the model package group."""
        return self.sagemaker_arn(f"model-package-group/{self.package_group}")

    @property
    def package_arn_prefix(self) -> str:
        """ARN of a model package without its version, with a slash at the end."""
        return self.sagemaker_arn(f"model-package/{self.package_group}/")

    @property
    def package_arns(self) -> str:
        """Pattern of the ARNs of the group's packages."""
        return f"{self.package_arn_prefix}*"

    @property
    def serving_stack_arn(self) -> str:
        """Pattern of the serving stack's ARN, which ends in an id that CloudFormation creates."""
        return arn(self._scope, "cloudformation", f"stack/{self.serving_stack}/*")

    @property
    def model_role_arn(self) -> str:
        """ARN of the served model's role."""
        return self.role_arn(self.model_role)

    @property
    def topic_arn(self) -> str:
        """ARN of the notification topic."""
        return arn(self._scope, "sns", self.topic)

    def sagemaker_arn(self, resource: str) -> str:
        """Return the ARN, or the pattern, of something in SageMaker."""
        return arn(self._scope, "sagemaker", resource)

    def state_machine_arn(self, name: str) -> str:
        """Return the ARN of a state machine."""
        return arn(self._scope, "states", f"stateMachine:{name}")

    def role_arn(self, name: str) -> str:
        """Return the ARN of a role; `name` includes its path."""
        return arn(self._scope, "iam", f"role/{name}", regional=False)

    def alarm_arns(self, name_prefix: str) -> str:
        """Return the pattern of the ARNs of alarms whose names begin with a prefix."""
        return arn(self._scope, "cloudwatch", f"alarm:{name_prefix}*")

    def event_rule_arn(self, name: str) -> str:
        """Return the ARN of an EventBridge rule."""
        return arn(self._scope, "events", f"rule/{name}")

    @property
    def budget_arns(self) -> str:
        """Pattern of the ARNs of the environment's budgets."""
        return arn(self._scope, "budgets", f"budget/{self.prefix}-*", regional=False)

    @property
    def scalable_target_arns(self) -> str:
        """Pattern of the ARNs of Application Auto Scaling's targets, whose ids it creates."""
        return arn(self._scope, "application-autoscaling", "scalable-target/*")
