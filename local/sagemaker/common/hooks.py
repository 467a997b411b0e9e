"""What the SageMaker service needs from the cloud around it.

Every method may block and is only ever called from worker threads of this package, never from `SageMakerService.handle`
or `invoke_endpoint`. All of them have to be thread-safe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol


class HookError(Exception):
    """The surrounding cloud refused or could not do something.

    Attributes:
        code: AWS error code, e.g. ``AccessDenied``, ``NoSuchBucket``, ``NoSuchKey``.
        message: the sentence that came with it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Hooks(Protocol):
    """Implemented by whoever embeds the service; unit tests use a fake on local folders.

    Storage calls are made with the credentials of `role_arn`, so that a role without the right fails the job.
    They raise `HookError`, whose code and message end up in the FailureReason.
    """

    def s3_get(self, uri: str, *, role_arn: str) -> bytes:
        """The content of one object. Raises HookError (``NoSuchKey``, ``AccessDenied``, …)."""
        ...

    def s3_download(self, uri: str, directory: Path, *, role_arn: str) -> int:
        """Fetch what `uri` names into `directory` (exists already) and return the number of files written.

        `uri` is an object key (written as ``directory/<base name>``) or a prefix: then every object whose key starts
        with it, written below `directory` under the rest of its key (cut at the prefix's last slash). Nothing found: 0.
        """
        ...

    def s3_upload(self, path: Path, uri: str, *, role_arn: str) -> None:
        """Store the file `path` as the object `uri` (streamed, not read into memory)."""
        ...

    def put_log(self, group: str, stream: str, lines: Sequence[tuple[int, str]], *, account: str, region: str) -> None:
        """Append `lines` (epoch milliseconds, message) to a log stream, made on first use."""
        ...

    def put_event(
        self,
        source: str,
        detail_type: str,
        detail: Mapping[str, Any],
        *,
        resources: Sequence[str],
        account: str,
        region: str,
    ) -> None:
        """Put an event on the default bus of the account."""
        ...

    def put_metrics(
        self,
        namespace: str,
        values: Mapping[str, float],
        unit: str,
        dimensions: Mapping[str, str],
        *,
        account: str,
        region: str,
    ) -> None:
        """Add one value to each of these CloudWatch metrics, now."""
        ...

    def credentials_for(self, role_arn: str) -> dict[str, str]:
        """Temporary credentials of the role as environment variables.

        ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_SESSION_TOKEN``. Raises HookError when the role does
        not exist or does not trust ``sagemaker.amazonaws.com``.
        """
        ...
