"""Errors of the CDK app. Each message says what was wrong, what is allowed and what to do next."""

from collections.abc import Iterable


class StacksError(Exception):
    """Base of all errors that `app.py` reports in one line."""


class ConfigError(StacksError):
    """A value in the CDK context is not usable. `field`: dotted name of the value, such as `serving.memory_mb`."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        super().__init__(f"configuration: {field}: {problem}")


class UnknownEnvironmentError(StacksError):
    """The environment asked for is not in cdk.json."""

    def __init__(self, env: str, existing: Iterable[str]) -> None:
        self.existing = tuple(existing)
        known = ", ".join(self.existing) or "none"
        super().__init__(f"environment '{env}' does not exist; choose one of: {known} (cdk … -c env=<name>)")


class ImageNotFoundError(StacksError):
    """No container image is known for a region."""

    def __init__(self, region: str, image: str, reason: str) -> None:
        self.region = region
        super().__init__(f"no image {image} is known for region '{region}': {reason}")


class MissingAssetError(StacksError):
    """A file or folder that an asset needs is missing."""

    def __init__(self, path: str, remedy: str) -> None:
        self.path = path
        super().__init__(f"{path} does not exist; {remedy}")
