"""Putting it together: everything this package changes in ministack, in one place and in order."""

from __future__ import annotations

from pathlib import Path

from ministack import app
from ministack.core import persistence

from local.emulator import (
    alarms,
    api_gateway,
    buckets,
    budgets,
    busy_stacks,
    cloudformation,
    conditions,
    custom_resources,
    endpoint_scaling,
    event_targets,
    image_builds,
    interrupted,
    lambda_errors,
    metric_store,
    perimeter,
    sagemaker_api,
    service_metrics,
    stack_deletes,
    stack_operations,
    stack_roles,
    stepfunctions,
)
from local.emulator.front_door import FrontDoor
from local.emulator.operation_journal import OperationJournal
from local.emulator.recovery import Recovery
from local.emulator.version import installed_version, require_supported_version
from local.sagemaker.service import SageMakerService

_JOURNALS = "stack-operations"


def install(service: SageMakerService, front_door: FrontDoor) -> Recovery:
    """Change the ministack of this process, once. Raises UnsupportedEmulator.

    What comes back finishes what an earlier process was interrupted in; to be run once the services answer.
    """
    journal = OperationJournal(Path(persistence.STATE_DIR) / _JOURNALS)
    require_supported_version(installed_version())
    app.BANNER = "ministack on port {port}"  # the original fills a screen
    perimeter.install()
    sagemaker_api.install(service)
    to_finish = interrupted.install(journal)
    conditions.install()
    stack_roles.install()
    busy_stacks.install()
    stack_deletes.install()
    stack_operations.install(journal)
    cloudformation.install(front_door, journal)
    endpoint_scaling.install()
    custom_resources.install(front_door)
    image_builds.install(front_door)
    buckets.install(front_door)
    api_gateway.install()
    lambda_errors.install()
    stepfunctions.install(front_door)
    event_targets.install()
    metric_store.install()
    service_metrics.install()
    budgets.install()
    alarms.install()
    return Recovery(journal, front_door, to_finish)
