"""The state-change events of training jobs and model packages on EventBridge, with the details that AWS documents."""

from collections.abc import Mapping, Sequence
from typing import Any

from local.sagemaker.api.listing import pick
from local.sagemaker.common.names import Key
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record

_TRAINING_JOB = """
    TrainingJobName TrainingJobArn TrainingJobStatus SecondaryStatus FailureReason HyperParameters
    AlgorithmSpecification RoleArn InputDataConfig OutputDataConfig ResourceConfig StoppingCondition ModelArtifacts
    CreationTime TrainingStartTime TrainingEndTime LastModifiedTime SecondaryStatusTransitions FinalMetricDataList
""".split()  # noqa: SIM905 - a list of names is easier to compare with the documentation


def training_job_changed(context: Context, key: Key, job: Record) -> None:
    """Announce a change of the job's status or secondary status."""
    _announce(context, key, "Training Job", pick(job, *_TRAINING_JOB), Tags=context.tags.of(key))


def model_package_changed(context: Context, key: Key, package: Record, updated: Sequence[str] = ()) -> None:
    """Announce a new package, or the members of a package that were `updated`."""
    fields = {"UpdatedModelPackageFields": list(updated)} if updated else {}
    _announce(context, key, "Model Package", package, **fields)


def _announce(context: Context, key: Key, what: str, members: Mapping[str, Any], **further: Any) -> None:
    detail = {**_in_milliseconds(members), **further}
    context.outbox.event(key.scope, f"SageMaker {what} State Change", detail, key.arn)


def _in_milliseconds(value: Any) -> Any:
    """Convert the API's epoch seconds to the epoch milliseconds of events."""
    if isinstance(value, Mapping):
        return {
            name: int(item * 1000) if name.endswith("Time") and isinstance(item, float) else _in_milliseconds(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_in_milliseconds(item) for item in value]
    return value
