"""Whose resource it is: an account in a region, and the ARNs that follow from it."""

from __future__ import annotations

from typing import NamedTuple


class Scope(NamedTuple):
    """An account in a region; names are unique within it."""

    account: str
    region: str

    def arn(self, resource: str) -> str:
        """ARN of a SageMaker resource, e.g. ``endpoint/reviews``."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{resource}"

    def log_stream_arn(self, group: str) -> str:
        """ARN of a log group, as ModelError carries it."""
        return f"arn:aws:logs:{self.region}:{self.account}:log-group:{group}"


def last_part(arn_or_name: str) -> str:
    """The resource name of an ARN (``model-package/group/3`` → ``group/3``); a plain name stays as it is."""
    if not arn_or_name.startswith("arn:"):
        return arn_or_name
    return arn_or_name.split(":", 5)[-1].partition("/")[2]
