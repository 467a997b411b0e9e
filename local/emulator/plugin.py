"""Putting it together: everything this package changes in ministack, in one place and in order."""

from __future__ import annotations

from pathlib import Path

from ministack import app
from ministack.core import persistence

from local.emulator.access import perimeter, stack_roles
from local.emulator.access.front_door import FrontDoor
from local.emulator.builds import image_builds
from local.emulator.cloudformation import buckets, budgets, busy_stacks, conditions, custom_resources, endpoint_scaling
from local.emulator.cloudformation import deletes as stack_deletes
from local.emulator.cloudformation import sagemaker_resources as cloudformation
from local.emulator.cloudwatch import alarms, metric_store, service_metrics
from local.emulator.common.version import installed_version, require_supported_version
from local.emulator.gateway import api_gateway, lambda_errors
from local.emulator.recovery import interrupted, stack_operations
from local.emulator.recovery.operation_journal import OperationJournal
from local.emulator.recovery.recovery import Recovery
from local.emulator.sagemaker_bridge import sagemaker_api
from local.emulator.workflows import event_targets, stepfunctions
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
