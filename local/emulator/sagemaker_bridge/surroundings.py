"""Implements `local.sagemaker.common.surroundings.Surroundings`: what the SageMaker service needs from the cloud."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from ministack.core.responses import request_scope
from ministack.services import cloudwatch_logs, eventbridge

from local.emulator.access import front_door
from local.emulator.access.identity import Credentials, assume_service_role, check_service_role
from local.emulator.cloudwatch import metric_store
from local.emulator.common.errors import CannotAssumeRoleError
from local.emulator.common.patching import Original
from local.emulator.state import persistence
from local.sagemaker.common.names import Scope
from local.sagemaker.common.surroundings import SurroundingsError

_PRINCIPAL = "sagemaker.amazonaws.com"
_RENEW_AFTER_SECONDS = 3600.0
_newest_change = [0.0]  # of what SageMaker's events told


def event_time(original: Original) -> float:
    """Return EventBridge's time of an event, which is not before the change that an event tells of."""
    return max(float(original()), _newest_change[0])


class CloudSurroundings:
    """Storage with the role's own rights, logs, events and credentials. Thread-safe."""

    def __init__(self, region: str) -> None:
        """`region`: of calls to S3."""
        self._region = region
        self._sessions: dict[str, tuple[float, Credentials]] = {}
        self._lock = threading.Lock()

    def s3_get(self, uri: str, *, role_arn: str) -> bytes:
        """Return the content of one object."""
        bucket, key = split_uri(uri)
        with _translated():
            content: bytes = self._s3(role_arn).get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def s3_download(self, uri: str, directory: Path, *, role_arn: str) -> int:
        """Fetch an object, or everything below a prefix, into `directory`; return the number of files written."""
        bucket, prefix = split_uri(uri)
        with _translated():
            client = self._s3(role_arn)
            keys = [
                entry["Key"]
                for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
                for entry in page.get("Contents", [])
                if not entry["Key"].endswith("/")
            ]
            for key in keys:
                target = target_path(directory, prefix, key)
                target.parent.mkdir(parents=True, exist_ok=True)
                client.download_file(bucket, key, str(target))
        return len(keys)

    def s3_upload(self, path: Path, uri: str, *, role_arn: str) -> None:
        """Store a file as the object `uri`."""
        bucket, key = split_uri(uri)
        with _translated():
            self._s3(role_arn).upload_file(str(path), bucket, key)

    def put_log(self, scope: Scope, group: str, stream: str, lines: Sequence[tuple[int, str]]) -> None:
        """Append lines (epoch milliseconds, message) to a log stream, created on first use."""
        if not lines:
            return
        wanted = {"logGroupName": group, "logStreamName": stream}
        # CloudWatch Logs refuses an empty message.
        events = [{"timestamp": moment, "message": text or " "} for moment, text in lines]
        # Not through the front door: an endpoint logs a line for each request, and a signed call costs as much.
        with request_scope(*scope):
            cloudwatch_logs._create_log_group(wanted)  # neither changes one that is there
            cloudwatch_logs._create_log_stream(wanted)
            cloudwatch_logs._put_log_events({**wanted, "logEvents": events})
        persistence.note_change(persistence.LATER)

    def put_event(self, scope: Scope, detail_type: str, detail: Mapping[str, Any], resource: str) -> None:
        """Put an event of SageMaker on the account's default bus."""
        _newest_change[0] = max(_newest_change[0], detail.get("LastModifiedTime", 0) / 1000)
        entry = {"Source": "aws.sagemaker", "DetailType": detail_type, "Resources": [resource]}
        with request_scope(*scope):
            # Not through the front door: PutEvents refuses sources that begin with "aws.".
            entries = [{**entry, "Detail": json.dumps(detail, default=str)}]
            eventbridge._put_events({"Entries": entries}, allow_aws_source=True)

    def put_metrics(
        self, scope: Scope, namespace: str, values: Mapping[str, float], unit: str, dimensions: Mapping[str, str]
    ) -> None:
        """Add one value to each of these CloudWatch metrics, now."""
        with request_scope(*scope):
            metric_store.record(namespace, values, unit=unit, dimensions=dimensions)

    def credentials_for(self, role_arn: str) -> dict[str, str]:
        """Return temporary credentials of the role as environment variables."""
        session = self._session_of(role_arn)
        keys = {"AWS_ACCESS_KEY_ID": session.access_key_id, "AWS_SECRET_ACCESS_KEY": session.secret_access_key}
        return {**keys, "AWS_SESSION_TOKEN": session.session_token}

    def _s3(self, role_arn: str) -> Any:
        return front_door.client("s3", self._session_of(role_arn), self._region)

    def _session_of(self, role_arn: str) -> Credentials:
        with self._lock:
            made, credentials = self._sessions.get(role_arn, (0.0, None))
            try:
                check_service_role(role_arn, _PRINCIPAL)  # the trust policy may have changed since
                if credentials is None or time.monotonic() - made > _RENEW_AFTER_SECONDS:
                    credentials = assume_service_role(role_arn, _PRINCIPAL, "SageMaker")
                    self._sessions[role_arn] = (time.monotonic(), credentials)
            except CannotAssumeRoleError as error:
                raise SurroundingsError("ValidationException", str(error)) from error
            return credentials


def split_uri(uri: str) -> tuple[str, str]:
    """Split `s3://bucket/some/key` into `("bucket", "some/key")`. Raises SurroundingsError."""
    if not uri.startswith("s3://") or not uri[5:].partition("/")[0]:
        raise SurroundingsError("ValidationException", f"Not an S3 URI: {uri}")
    bucket, _, key = uri[5:].partition("/")
    return bucket, key


def target_path(directory: Path, prefix: str, key: str) -> Path:
    """Return the place of `key`, found under `prefix`, in `directory`; raise SurroundingsError for one outside."""
    relative = key[prefix.rfind("/") + 1 :]
    target = (directory / relative).resolve()
    if not target.is_relative_to(directory.resolve()):
        raise SurroundingsError(
            "ValidationException", f"The object key {key} leads out of the folder it is downloaded to."
        )
    return target


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        details = error.response.get("Error", {})
        code = details.get("Code", "Unknown")
        # A HEAD request has no body with a code.
        code = {"403": "AccessDenied", "404": "NoSuchKey"}.get(code, code)
        raise SurroundingsError(code, details.get("Message", str(error))) from error
    except (BotoCoreError, OSError) as error:
        raise SurroundingsError("InternalError", str(error)) from error
