"""A training job's log, followed while the job runs."""

import re
import sys
import time

from botocore.exceptions import ClientError

from operations.aws.deployment import Deployment
from operations.console import say
from text_classifier.terminal import shown

GROUP = "/aws/sagemaker/TrainingJobs"
PROGRESS = re.compile(r"epoch=\S+ step=")  # how training_job/train.py begins its progress lines
SECONDS_BETWEEN_PROGRESS = 5.0


class TrainingLog:
    """Prints what is new in the log of one training job, its progress lines not too often."""

    def __init__(self, deployment: Deployment, job_name: str) -> None:
        self._logs = deployment.client("logs")
        self._streams = f"{job_name}/"  # and algo-1-…
        self._seen: set[str] = set()
        self._since = 0
        self._last_progress = 0.0
        self._unfinished = False  # on a terminal, progress lines overwrite each other

    def show_new(self) -> None:
        """Print the lines that came since the last call."""
        try:
            pages = self._logs.get_paginator("filter_log_events").paginate(
                logGroupName=GROUP, logStreamNamePrefix=self._streams, startTime=self._since
            )
            events = [event for page in pages for event in page["events"]]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return  # the group appears with the first line
            raise
        for event in events:
            # The local cloud's emulator answers the whole group, whatever prefix is asked for.
            if event["eventId"] in self._seen or not event["logStreamName"].startswith(self._streams):
                continue
            self._seen.add(event["eventId"])
            self._since = max(self._since, event["timestamp"])
            self._print(shown(event["message"].rstrip()))

    def _print(self, line: str) -> None:
        if PROGRESS.match(line):
            now = time.monotonic()
            if sys.stdout.isatty():
                print(f"\r    {line:<100}", end="", flush=True)
                self._unfinished = True
                return
            if now - self._last_progress < SECONDS_BETWEEN_PROGRESS:
                return
            self._last_progress = now
        if self._unfinished:
            print()
            self._unfinished = False
        say(f"    {line}")
