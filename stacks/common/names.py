"""The names of all resources and the patterns of their ARNs, each written once.

Stacks know each other's resources by these names, not by references: a reference would tie one stack's update to the
other's.
"""

import hashlib
import json
from typing import Any

from aws_cdk import Fn, Stack
from constructs import Construct

from stacks.config.environment import Config


def bucket_arn(scope: Construct, bucket: str) -> str:
    """Return the ARN of a bucket that another template or account owns."""
    return f"arn:{Stack.of(scope).partition}:s3:::{bucket}"


def arn(scope: Construct, service: str, resource: str, *, regional: bool = True) -> str:
    """Return an ARN in the account, region and partition of a construct's stack."""
    stack = Stack.of(scope)
    return f"arn:{stack.partition}:{service}:{stack.region if regional else ''}:{stack.account}:{resource}"


class Names:
    """Names and ARNs of one environment, as one of its stacks spells them.

    Attributes:
        endpoint: contains the kind, because SageMaker cannot turn an endpoint of one kind into the other: another name
            makes CloudFormation replace it.
        serving_stack: its parameter says which model package is the champion; its ARN ends in an id of CloudFormation.
        model_role: of the served model; the serving stack builds its ARN from it and holds no IAM.
        served: pattern of the names of the models and endpoint configs that the serving stack replaces.
        release: also the role under which CloudFormation changes the endpoint.
        training: also the role of the jobs.
        bulk: also the role of the jobs, and the beginning of their names.
        tuning: start of a tuning job's name, which has at most 32 characters; a hyphen and eight more follow.
        key_export: under which the storage stack exports the ARN of the environment's own key.
        key_arn: that ARN in the other stacks; empty without such a key.
        keeper_arn: role of the function that alone writes kept archives.
        package_arn_prefix: ARN of a model package without its version, with a slash at the end.
    """

    def __init__(self, scope: Construct, config: Config) -> None:
        self._scope = scope
        self.prefix = prefix = config.prefix
        self.endpoint = prefix if config.serving.kind == "serverless" else f"{prefix}-{config.serving.kind}"
        self.endpoint_arn = self.sagemaker_arn(f"endpoint/{self.endpoint}")
        self.serving_stack = f"{prefix}-serving"
        self.serving_stack_arn = arn(scope, "cloudformation", f"stack/{self.serving_stack}/*")
        self.image_repository = f"{prefix}-serving"
        self._global_suffix = config.global_suffix
        self.model_role = f"{prefix}-model"
        self.model_role_arn = self.role_arn(self.global_name(self.model_role))
        self.served = f"{prefix}--*"
        self.release = f"{prefix}-release"
        self.training = f"{prefix}-training"
        self.bulk = f"{prefix}-bulk"
        digest = hashlib.sha256(prefix.encode()).hexdigest()[:6]
        self.tuning = prefix if len(prefix) <= 32 - len("-01234567") else f"{prefix[:16].rstrip('-')}-{digest}"
        self.keeper_arn = self.role_arn(self.global_name(f"{prefix}-gate-keep"))
        self.recipe = f"/{prefix}/training-recipe"
        self.topic = f"{prefix}-notifications"
        self.topic_arn = arn(scope, "sns", self.topic)
        self.key_export = f"{prefix}-key"
        self.key_arn = Fn.import_value(self.key_export) if config.own_key else ""
        self.package_group = prefix
        self.package_group_arn = self.sagemaker_arn(f"model-package-group/{self.package_group}")
        self.package_arn_prefix = self.sagemaker_arn(f"model-package/{self.package_group}/")
        self.package_arns = f"{self.package_arn_prefix}*"
        self.budget_arns = arn(scope, "budgets", f"budget/{prefix}-*", regional=False)
        self.scalable_target_arns = arn(scope, "application-autoscaling", "scalable-target/*")

    def global_name(self, name: str) -> str:
        """Return the name of a role or budget, which no other region of the account may use."""
        return f"{name}{self._global_suffix}"

    def served_name(self, version: str, content: Any) -> str:
        """Return the name of a model or endpoint config, at most 63 characters with a version of up to 16 digits.

        No prefix holds two hyphens, so they tell this environment's names from those of `<prefix>-<more>`.

        `content`: whatever replaces the resource when it changes. It is part of the name as a hash, because a new
        resource exists beside the old one. Tokens count by what they stand for; their own text is a running number.
        """
        resolved = Stack.of(self._scope).resolve(content)
        digest = hashlib.sha256(json.dumps(resolved, sort_keys=True).encode()).hexdigest()[:12]
        return f"{self.prefix}--{version}-{digest}"

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
