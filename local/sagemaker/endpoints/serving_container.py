"""How the container of a model is started on this machine: its program, its artifact and its environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from local.sagemaker.common.errors import FailedError
from local.sagemaker.common.names import Scope
from local.sagemaker.endpoints.deployment import VariantSpec
from local.sagemaker.processes.child_environment import base_environment, role_environment
from local.sagemaker.processes.child_process import Command
from local.sagemaker.processes.log_stream import LogStream
from local.sagemaker.state.context import Context

_HUB_VARIABLE = "HF_MODEL_ID"
_LAST_LINES = 8


def serving_command(
    context: Context, scope: Scope, spec: VariantSpec, *, home: Path, contract: Mapping[str, str] | None = None
) -> Command:
    """Fetch the artifact with the model's role and return the command of its server. Raises FailedError.

    Args:
        home: HOME of the process.
        contract: variables that the platform sets; they take precedence over the model's Environment.
    """
    if hub_model := spec.environment.get(_HUB_VARIABLE):
        raise FailedError(
            f"The container of model {spec.model} would load {hub_model} from the Hugging Face hub "
            f"({_HUB_VARIABLE}). The local cloud serves trained artifacts only: set ModelDataUrl and leave "
            f"{_HUB_VARIABLE} out."
        )
    if not spec.model_data_url:
        raise FailedError(f"Model {spec.model} has no ModelDataUrl: the local cloud has nothing to serve.")
    rule = context.settings.image_rule(spec.image, "serving")
    aws = role_environment(context, spec.role_arn, scope.region)
    model_dir = context.artifacts.fetch(spec.model_data_url, spec.role_arn)
    return Command(
        words=[rule.python, *rule.command],
        cwd=model_dir,
        environment={
            **base_environment(context.settings, rule, home=home),
            **({} if spec.network_isolation else aws),
            **({"SAGEMAKER_MODEL_SERVER_WORKERS": "1"} if spec.serverless else {}),
            **spec.environment,
            **(contract or {}),
            "SM_MODEL_DIR": str(model_dir),
        },
    )


def last_lines(log: LogStream) -> str:
    """Return the last log lines of a server, for a FailureReason."""
    return f"last log lines: {' | '.join(log.tail()[-_LAST_LINES:]) or 'none'}"
