"""What the entry points of a workflow's functions share: boto3 clients, and the log line of a failure."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from aws_lambda_powertools import Logger


@functools.cache
def client(service: str) -> Any:
    """Return one boto3 client of a service for all calls of a warm function."""
    return boto3.client(service)


@contextmanager
def failures_logged(logger: Logger, message: str) -> Iterator[None]:
    """Log why a call fails. Step Functions shows the class and the message of its error."""
    try:
        yield
    except Exception as error:
        logger.error(message, error=type(error).__name__, reason=str(error))
        raise
