"""The function's environment variables, typed."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from launch import compute, hyperparameter_values, schema
from shared.errors import InvalidExecutionInputError, MisconfiguredError
from shared.settings import required

_JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_MAX_PREFIX = 63 - len("-20260101-120000-abcdef")  # SageMaker allows 63 characters in a job's name
_FOLDER = re.compile(r"s3://[^/]+/.*[^/]/*")
_GATE = ("min_accuracy", "min_f1", "margin")


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """The values of the configuration, for what an execution omits."""

    hyperparameters: dict[str, str]
    compute: dict[str, Any]
    """A value for each of `compute.FIELDS`."""
    gate: dict[str, float | str]
    """`min_accuracy` and `min_f1`, each from 0 to 1 or `auto`, and `margin`."""
    approval: str
    """`auto`, `manual` or `never`."""
    offline: bool
    """Whether jobs can't reach the Hugging Face Hub."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the stack decides for every execution."""

    defaults: Defaults
    """`DEFAULTS`: JSON with the keys `hyperparameters`, `compute`, `gate`, `approval` and `offline`."""
    job_name_prefix: str
    """`JOB_NAME_PREFIX`: start of a training job's name, at most 40 characters."""
    tuning_name_prefix: str
    """`TUNING_NAME_PREFIX`: start of a tuning job's name, at most 23 characters."""
    artifacts_uri: str
    """`ARTIFACTS_URI`: `s3://bucket/folder` where training jobs put their models, without a final slash."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables named above; raise MisconfiguredError for one that is missing or wrong."""
        prefix = required(environment, "JOB_NAME_PREFIX")
        if len(prefix) > _MAX_PREFIX or not _JOB_NAME.fullmatch(prefix):
            raise MisconfiguredError(
                "JOB_NAME_PREFIX", f"is {prefix!r}; letters, digits and hyphens are allowed, at most {_MAX_PREFIX}"
            )
        artifacts = required(environment, "ARTIFACTS_URI")
        if not _FOLDER.fullmatch(artifacts):
            raise MisconfiguredError("ARTIFACTS_URI", f"is {artifacts!r}; s3://bucket/folder is allowed")
        return cls(
            defaults=_defaults(required(environment, "DEFAULTS")),
            job_name_prefix=prefix,
            tuning_name_prefix=required(environment, "TUNING_NAME_PREFIX"),
            artifacts_uri=artifacts.rstrip("/"),
        )


def _defaults(text: str) -> Defaults:
    """Read the configuration's values, under the same rules as those of an execution."""
    try:
        document = json.loads(text)
        machines = {name: document["compute"][name] for name in compute.FIELDS}
        gate = {name: document["gate"][name] for name in _GATE}
        given, approval, offline = (document[name] for name in ("hyperparameters", "approval", "offline"))
    except (ValueError, TypeError) as error:
        raise MisconfiguredError("DEFAULTS", f"cannot be read ({error})") from error
    except KeyError as error:
        raise MisconfiguredError("DEFAULTS", f"lacks {error}") from error
    try:
        schema.check({**machines, "gate": gate, "hyperparameters": given, "approval": approval})
        hyperparameter_values.merged({}, given)
        hyperparameters = {name: hyperparameter_values.as_text(name, value) for name, value in given.items()}
    except InvalidExecutionInputError as error:
        raise MisconfiguredError("DEFAULTS", f"is wrong: {str(error).rstrip('.')}") from error
    return Defaults(hyperparameters=hyperparameters, compute=machines, gate=gate, approval=approval, offline=offline)
