"""What the states of the release workflow refer to."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ReleaseParts:
    """The surroundings of the workflow. Values may hold CDK tokens.

    Attributes:
        name: name of the model in messages.
        package_arn_prefix: ARN of a package of the group without its version: `…:model-package/<group>/`.
        serving_stack: name of the stack whose parameter says which package is the champion.
        endpoint: name of the endpoint.
        hub_model: whether the stack serves a hub model while it names no package.
        release_role_arn: role under which CloudFormation changes the endpoint.
        poll_seconds: pause between two looks at something that is under way.
    """

    partition: str
    name: str
    package_arn_prefix: str
    serving_stack: str
    endpoint: str
    hub_model: bool
    release_role_arn: str
    smoke_test_function_arn: str
    topic_arn: str
    poll_seconds: int
