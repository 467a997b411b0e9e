"""How the work of a job breaks off."""

from __future__ import annotations


class JobFailedError(Exception):
    """The job ends as Failed. The message becomes the FailureReason."""


class JobStoppedError(Exception):
    """The job was stopped, or the service is stopping."""
