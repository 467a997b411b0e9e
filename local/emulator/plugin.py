"""Putting it together: everything this package changes in ministack, in one place and in order."""

from __future__ import annotations

from ministack import app

from local.emulator import (
    api_gateway,
    buckets,
    cloudformation,
    conditions,
    custom_resources,
    interrupted,
    lambda_errors,
    perimeter,
    sagemaker_api,
    stack_deletes,
    stack_roles,
    stepfunctions,
)
from local.emulator.front_door import FrontDoor
from local.emulator.version import installed_version, require_supported_version
from local.sagemaker.service import SageMakerService


def install(service: SageMakerService, front_door: FrontDoor) -> None:
    """Change the ministack of this process, once. Raises UnsupportedEmulator."""
    require_supported_version(installed_version())
    app.BANNER = "ministack on port {port}"  # the original fills a screen
    perimeter.install()
    sagemaker_api.install(service)
    interrupted.install()
    conditions.install()
    stack_roles.install()
    stack_deletes.install()
    cloudformation.install(front_door)
    custom_resources.install(front_door)
    buckets.install(front_door)
    api_gateway.install()
    lambda_errors.install()
    stepfunctions.install(front_door)
