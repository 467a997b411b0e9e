"""What the SageMaker service needs from the cloud around it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from local.sagemaker.common.names import Scope


class SurroundingsError(Exception):
    """The cloud around the service refused or failed to do something."""

    def __init__(self, code: str, message: str) -> None:
        """Take an AWS error code, e.g. `AccessDenied`, `NoSuchBucket` or `NoSuchKey`, and the text that explains it."""
        super().__init__(f"{code}: {message}")


class Surroundings(Protocol):
    """The cloud around the service.

    Every method may block and must be thread-safe. The service calls them from its worker threads only, never while it
    answers a request. Storage calls use the credentials of `role_arn`, so that a job fails when its role lacks a right.
    They raise `SurroundingsError`; its code and message become part of the FailureReason.
    """

    def s3_get(self, uri: str, *, role_arn: str) -> bytes:
        """Return the content of one object."""

    def s3_download(self, uri: str, directory: Path, *, role_arn: str) -> int:
        """Fetch what `uri` names into the existing folder `directory` and return the number of files written.

        `uri` is an object key, written as `directory/<base name>`, or a prefix. For a prefix, every object whose key
        starts with it is written under the rest of its key, cut at the prefix's last slash.
        """

    def s3_upload(self, path: Path, uri: str, *, role_arn: str) -> None:
        """Store a file as the object `uri`, without reading it into memory."""

    def put_log(self, scope: Scope, group: str, stream: str, lines: Sequence[tuple[int, str]]) -> None:
        """Append `lines` (epoch milliseconds, message) to a log stream; create the stream if it is missing."""

    def put_event(self, scope: Scope, detail_type: str, detail: Mapping[str, Any], resource: str) -> None:
        """Put an event of the source `aws.sagemaker` on the default bus."""

    def put_metrics(
        self, scope: Scope, namespace: str, values: Mapping[str, float], unit: str, dimensions: Mapping[str, str]
    ) -> None:
        """Add one value to each of these CloudWatch metrics, with the current time."""

    def credentials_for(self, role_arn: str) -> dict[str, str]:
        """Return temporary credentials of the role as environment variables.

        Raises SurroundingsError when the role does not exist or does not trust `sagemaker.amazonaws.com`.
        """
