"""Errors of the CDK app. Each message says what was wrong, what is allowed and what to do next."""

from __future__ import annotations

from collections.abc import Iterable


class StacksError(Exception):
    """Base of everything this folder raises on purpose."""


class ConfigError(StacksError):
    """A value in the CDK context is not usable.

    Attributes:
        field: dotted name of the value, e.g. ``serving.memory_mb``.
        problem: what is wrong with it and what is allowed.
    """

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"configuration: {field}: {problem}")


class UnknownEnvironmentError(StacksError):
    """The environment asked for is not in cdk.json.

    Attributes:
        env: the name that was asked for.
        existing: the names that exist.
    """

    def __init__(self, env: str, existing: Iterable[str]) -> None:
        self.env = env
        self.existing = tuple(existing)
        known = ", ".join(self.existing) or "none"
        super().__init__(f"environment '{env}' does not exist; choose one of: {known} (cdk … -c env=<name>)")


class ImageNotFoundError(StacksError):
    """No container image can be named for a region.

    Attributes:
        region: the AWS region asked for.
        repository: the image repository that was looked up.
    """

    def __init__(self, region: str, repository: str, reason: str) -> None:
        self.region = region
        self.repository = repository
        super().__init__(f"no image {repository} is known for region '{region}': {reason}")


class MissingAssetError(StacksError):
    """A file or folder that goes into an asset is not there.

    Attributes:
        path: what is missing.
        remedy: the command or action that provides it.
    """

    def __init__(self, path: str, remedy: str) -> None:
        self.path = path
        self.remedy = remedy
        super().__init__(f"{path} does not exist; {remedy}")
