"""The calls that create, describe, list and stop jobs, and what becomes of jobs when the service starts or stops."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from local.discarding import discard
from local.sagemaker.api.resources import Handler, Resources
from local.sagemaker.common.errors import InvalidRequestError, ServiceError
from local.sagemaker.common.names import Key, Scope
from local.sagemaker.jobs.job import JobRecord, JobRun
from local.sagemaker.state.context import Context

RUNNING = ("InProgress", "Stopping")
_INTERRUPTED = "The local cloud was stopped while the job was running"


class Jobs(Resources):
    """One kind of job. Owns the threads that run the jobs."""

    record_class: ClassVar[type[JobRecord]] = JobRecord
    run_class: ClassVar[type[JobRun]]
    first_phase: ClassVar[str] = "InProgress"
    """Phase of a new job."""
    taken = "Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})"
    # The model documents ResourceNotFound; AWS answers this (github.com/aws/aws-sdk/issues/165).
    missing = "Requested resource not found."
    taken_code = "ResourceInUse"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._runs: dict[Key, JobRun] = {}
        self._lock = threading.Lock()

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each action."""
        handlers = super().handlers()
        del handlers[f"Delete{self.noun}"]
        return {**handlers, f"Stop{self.noun}": self.stop_job}

    def start(self) -> None:
        """Mark the jobs that an earlier process left running as failed."""
        for key, job in self._store.all(self.kind):
            if job[f"{self.noun}Status"] in RUNNING:
                discard(self.run_class.folder(self._context, key))
                self.record_class(self._context, key, self.noun).finish("Failed", _INTERRUPTED)

    def stop(self) -> None:
        """End the processes of all running jobs. The caller has set `context.stopping`."""
        with self._lock:
            runs = list(self._runs.values())
        for run in runs:
            run.stop()
        deadline = time.monotonic() + self._context.settings.shutdown_grace_seconds + 6
        for run in runs:
            run.join(max(0.0, deadline - time.monotonic()))

    def stop_job(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the Stop call. The job is Stopping, then Stopped."""
        key = self.key(scope, params)
        with self._store.lock:
            status = self.get(key)[f"{self.noun}Status"]
            if status != "InProgress":
                what = self.kind.replace("-", " ")
                raise InvalidRequestError(f"The request was rejected because the {what} is in status {status}.")
            self.record_class(self._context, key, self.noun).enter("Stopping")
        with self._lock:
            run = self._runs.get(key)
        if run is not None:
            run.stop()
        return {}

    def _begin(self, key: Key, params: Mapping[str, Any], make_run: Callable[[JobRecord], JobRun]) -> dict[str, Any]:
        """Store a new job, start it, and return the answer to the Create call."""
        with self._store.lock:
            status = {f"{self.noun}Status": "InProgress", "LastModifiedTime": time.time()}
            answer = self._add(key, params, **status)
            record = self.record_class(self._context, key, self.noun)
            try:
                run = make_run(record)
            except OSError as error:
                self._store.delete(key)
                self._context.tags.forget(key)
                raise ServiceError("InternalFailure", f"The job could not be set up: {error}", 500) from error
            record.enter(self.first_phase)
            with self._lock:
                self._runs = {other: earlier for other, earlier in self._runs.items() if not earlier.ended}
                self._runs[key] = run
                run.start()
        return answer
