"""What serves a model on this machine: its specification, and the command that starts its server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.sagemaker.common.errors import FailedError
from local.sagemaker.common.names import Scope
from local.sagemaker.models.models import Models
from local.sagemaker.processes.child_environment import base_environment, role_environment
from local.sagemaker.processes.child_process import ISOLATED, Command
from local.sagemaker.processes.log_stream import LogStream
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record

_HUB_VARIABLE = "HF_MODEL_ID"
_LAST_LINES = 8


@dataclass(frozen=True, kw_only=True)
class VariantSpec:
    """What starts a variant; stored with the endpoint, which so can restart after its model was deleted."""

    name: str
    model: str
    image: str
    role_arn: str
    model_data_url: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    weight: float = 1.0
    instance_count: int = 0
    instance_type: str = ""
    serverless: dict[str, int] = field(default_factory=dict)
    network_isolation: bool = False

    @property
    def max_concurrency(self) -> int | None:
        """Limit of concurrent requests; None for an instance-backed variant, which has no limit."""
        return self.serverless.get("MaxConcurrency")

    def summary(self, created: float) -> Record:
        """Return the variant's entry in DescribeEndpoint's ProductionVariants."""
        entry: dict[str, Any] = {
            "VariantName": self.name,
            "DeployedImages": [{"SpecifiedImage": self.image, "ResolvedImage": self.image, "ResolutionTime": created}],
            "CurrentWeight": self.weight,
            "DesiredWeight": self.weight,
        }
        if self.serverless:
            return entry | {"CurrentServerlessConfig": self.serverless}
        return entry | {"CurrentInstanceCount": self.instance_count, "DesiredInstanceCount": self.instance_count}


def resolve(models: Models, scope: Scope, variant: Mapping[str, Any]) -> VariantSpec:
    """Return what runs for a variant of a configuration. Raises InvalidRequestError if its model is gone."""
    name = variant["ModelName"]
    model, container = models.named(scope, name), models.container(scope, name)
    return VariantSpec(
        name=variant.get("VariantName", name),
        model=name,
        image=container["Image"],
        role_arn=model["ExecutionRoleArn"],
        model_data_url=container.get("ModelDataUrl", ""),
        environment=container.get("Environment", {}),
        weight=variant.get("InitialVariantWeight", 1.0),
        instance_count=variant.get("InitialInstanceCount", 0),
        instance_type=variant.get("InstanceType", ""),
        serverless=variant.get("ServerlessConfig", {}),
        network_isolation=model.get("EnableNetworkIsolation", False),
    )


def serving_command(
    context: Context, scope: Scope, spec: VariantSpec, *, home: Path, contract: Mapping[str, str] | None = None
) -> Command:
    """Fetch the artifact with the model's role and return the command of its server. Raises FailedError.

    `home`: HOME of the process. `contract`: variables that the platform sets; they take precedence over the model's
    Environment.
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
        words=[*(ISOLATED if spec.network_isolation else ()), rule.python, *rule.command],
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
