"""The serving block of the configuration: which container, which kind of endpoint, and how it scales."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from stacks.config.checks import check, check_instance_type, check_range

# The release gives an update an hour (`release_endpoint_states.UPDATE_SECONDS`). Two baking times and the start of the
# instances have to fit into it.
_MAX_BAKE_MINUTES = 15


@dataclass(frozen=True, kw_only=True)
class ProvisionedConcurrencyConfig:
    """How many of a serverless endpoint's environments are kept warm. They are paid for as long as they are."""

    min: int = 0
    """Kept warm always, 1 to 200; 0 keeps none."""
    max: int = 0
    """Kept warm at most, ``min`` to ``serving.max_concurrency``; above ``min`` the number follows the load."""
    target: float = 0.7
    """Share of the warm ones in use that the number is steered to, 0.1 to 0.9."""

    def __post_init__(self) -> None:
        name = "serving.provisioned_concurrency"
        check_range(self.min, f"{name}.min", 0, 200, "requests")
        check_range(self.max, f"{name}.max", 0, 200, "requests")
        check(self.max >= self.min, f"{name}.max", f"{self.max} is below {name}.min ({self.min}); {self.min} or more")
        check(
            self.min or not self.max,
            f"{name}.min",
            f"0 is not allowed with {name}.max = {self.max}; 1 or more (SageMaker scales from one on), or 0 for both",
        )
        check_range(self.target, f"{name}.target", 0.1, 0.9, "a share")

    @property
    def scales(self) -> bool:
        """Whether the number follows the load."""
        return self.max > self.min


@dataclass(frozen=True, kw_only=True)
class InstancesConfig:
    """An endpoint on instances of its own, for steady load: paid for by the hour, never cold.

    An update starts a second fleet beside the first, lets it answer some of the requests, then all of them, and goes
    back by itself while one of two alarms says that the new fleet fails or is slow.
    """

    instance_type: str = "ml.c5.large"
    """SageMaker instance. It can be changed only while ``max_count`` equals ``min_count`` (docs/decisions/0008)."""
    min_count: int = 2
    """Instances at least, 1 to 100; two lie in two availability zones."""
    max_count: int = 2
    """Instances at most, ``min_count`` to 100; above ``min_count`` the number follows the load."""
    workers: int = 2
    """Model processes of one instance, 1 to 64 (``SAGEMAKER_MODEL_SERVER_WORKERS``); one per vCPU, of which
    ml.c5.large has two."""
    scaling_metric: Literal["invocations", "concurrency"] = "invocations"
    """What the number follows: requests per instance and minute, or requests that an instance answers at once."""
    scaling_target: float = 1000
    """Value that an instance is steered to, 1 to 1000000."""
    canary_percent: int = 50
    """Share of the new fleet that answers first, 1 to 50; 0 lets all of it begin at once."""
    bake_minutes: int = 5
    """How long each step of an update is watched, 1 to 15 minutes."""
    max_error_rate: float = 0.05
    """Share of the new fleet's answers with a status of 500 and above that takes an update back, 0 to 1."""
    max_latency_ms: int = 1000
    """99th percentile of the new fleet's answering time that takes an update back, 1 to 60000 milliseconds."""

    def __post_init__(self) -> None:
        name = "serving.instances"
        check_instance_type(self.instance_type, f"{name}.instance_type")
        check_range(self.min_count, f"{name}.min_count", 1, 100, "instances")
        check_range(self.max_count, f"{name}.max_count", self.min_count, 100, "instances")
        check_range(self.workers, f"{name}.workers", 1, 64, "processes")
        check_range(self.scaling_target, f"{name}.scaling_target", 1, 1_000_000, "requests")
        check_range(self.canary_percent, f"{name}.canary_percent", 0, 50, "percent")
        check(
            not self.canary_percent or self.canary_percent * self.min_count >= 100,
            f"{name}.canary_percent",
            f"{self.canary_percent} % of {self.min_count} is less than one instance; 0, or a larger share or "
            f"{name}.min_count (a canary is at most half of the fleet, so it takes two instances)",
        )
        check_range(self.bake_minutes, f"{name}.bake_minutes", 1, _MAX_BAKE_MINUTES, "minutes")
        check_range(self.max_error_rate, f"{name}.max_error_rate", 0, 1, "a share")
        check_range(self.max_latency_ms, f"{name}.max_latency_ms", 1, 60_000, "milliseconds")

    @property
    def scales(self) -> bool:
        """Whether the number of instances follows the load."""
        return self.max_count > self.min_count


@dataclass(frozen=True, kw_only=True)
class ServingConfig:
    """The endpoint, and what it serves before a model of one's own is released.

    On AWS the default hub model is ``distilbert/distilbert-base-uncased-finetuned-sst-2-english`` at a pinned
    revision: a public sentiment model that reproduces the article's deployment and answers at once. It is a
    *stand-in* until one's own model is released through the ``ModelPackageArn`` parameter; it knows nothing about
    helpfulness. Without a hub model (local) there is no endpoint yet and the API answers 503.
    """

    container: Literal["huggingface", "slim"] = "huggingface"
    """What new model packages are served in: ``huggingface``, AWS's official image; ``slim``, our own, built by
    CodeBuild at deployment. A package that is there already keeps its image, and the hub model always takes the
    official one."""
    kind: Literal["serverless", "instances"] = "serverless"
    """``serverless``: paid per request, cold after a while; ``instances``: paid per hour, see ``instances``."""
    hub_model_id: str = ""
    """Model on the Hugging Face hub, or empty for none."""
    hub_model_revision: str = ""
    """Commit of that model; empty takes whatever the hub serves at start-up."""
    memory_mb: int = 4096
    """Serverless: 1024 to 6144 in steps of 1024; the share of vCPU grows with it. 4096 is the article's, for the hub
    model in the official container; ``make size-endpoint`` says what a model of one's own needs (slim: 1024)."""
    max_concurrency: int = 10
    """Serverless: requests served at once, 1 to 200; a new account's total may be 10."""
    provisioned_concurrency: ProvisionedConcurrencyConfig = field(default_factory=ProvisionedConcurrencyConfig)
    """Serverless: how much of it is kept warm."""
    instances: InstancesConfig = field(default_factory=InstancesConfig)
    """What an endpoint of the kind ``instances`` is made of; ignored for the other."""

    def __post_init__(self) -> None:
        check(
            self.hub_model_id or not self.hub_model_revision,
            "serving.hub_model_revision",
            "is set but serving.hub_model_id is empty; set both or neither",
        )
        check(
            self.memory_mb in range(1024, 6145, 1024),
            "serving.memory_mb",
            f"{self.memory_mb} is not allowed; 1024, 2048, 3072, 4096, 5120 or 6144",
        )
        check_range(self.max_concurrency, "serving.max_concurrency", 1, 200, "requests")
        provisioned = "serving.provisioned_concurrency.max"
        check(
            self.provisioned_concurrency.max <= self.max_concurrency,
            provisioned,
            f"{self.provisioned_concurrency.max} is above serving.max_concurrency ({self.max_concurrency}); "
            "at most that many",
        )
        check(
            self.kind == "serverless" or not self.provisioned_concurrency.max,
            provisioned,
            f"is set but serving.kind is '{self.kind}'; 0 (only serverless endpoints have provisioned concurrency)",
        )

    @property
    def scales(self) -> bool:
        """Whether Application Auto Scaling adjusts the endpoint."""
        return self.instances.scales if self.kind == "instances" else self.provisioned_concurrency.scales

    @property
    def hub_model(self) -> str:
        """The hub model as ``id`` or ``id@revision``; empty for none."""
        return "@".join(filter(None, (self.hub_model_id, self.hub_model_revision)))
