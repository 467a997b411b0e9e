"""The serving block of the configuration: which container, which kind of endpoint, and how it scales."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from stacks.config.fields import INSTANCE_TYPE, Section, between, check

ARTICLE: dict[str, Any] = {
    "container": "huggingface",
    "kind": "serverless",
    "hub_model_id": "distilbert/distilbert-base-uncased-finetuned-sst-2-english",
    "hub_model_revision": "714eb0fa89d2f80546fda750413ed43d93601a13",
    "memory_mb": 4096,
    "max_concurrency": 10,
}


class ProvisionedConcurrencyConfig(Section):
    """How many environments of a serverless endpoint are kept warm. AWS charges for them as long as they are."""

    min: Annotated[int, between(0, 200, "requests")] = 0
    """Always kept warm; 0 keeps none."""
    max: Annotated[int, between(0, 200, "requests")] = 0
    """Kept warm at most, `min` to `serving.max_concurrency`; above `min` the number follows the load."""
    target: Annotated[float, between(0.1, 0.9, "a share")] = 0.7
    """Share of the warm environments in use that scaling aims at."""

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        name = "serving.provisioned_concurrency"
        check(self.max >= self.min, f"{name}.max", f"{self.max} is below {name}.min ({self.min}); {self.min} or more")
        check(
            self.min or not self.max,
            f"{name}.min",
            f"0 is not allowed with {name}.max = {self.max}; 1 or more (SageMaker cannot scale from 0), or 0 for both",
        )
        return self

    @property
    def scales(self) -> bool:
        """Whether the number follows the load."""
        return self.max > self.min


class InstancesConfig(Section):
    """An endpoint on its own instances, for steady load: paid by the hour, never cold.

    An update starts a second fleet, sends it some of the requests, then all of them. It rolls back by itself when one
    of two alarms reports that the new fleet fails or is slow.
    """

    instance_type: INSTANCE_TYPE = "ml.c5.large"
    """SageMaker instance. It can be changed only while `max_count` equals `min_count` (docs/decisions/0008)."""
    min_count: Annotated[int, between(1, 100, "instances")] = 2
    """Instances at least; two are placed in two availability zones."""
    max_count: Annotated[int, between(1, 100, "instances")] = 2
    """Instances at most, `min_count` to 100; above `min_count` the number follows the load."""
    workers: Annotated[int, between(1, 64, "processes")] = 2
    """Model processes per instance (`SAGEMAKER_MODEL_SERVER_WORKERS`); one per vCPU, of which ml.c5.large has two."""
    scaling_metric: Literal["invocations", "concurrency"] = "invocations"
    """What the number follows: requests per instance and minute, or requests that an instance answers at once."""
    scaling_target: Annotated[float, between(1, 1_000_000, "requests")] = 1000
    """Value of that metric per instance that scaling aims at."""
    canary_percent: Annotated[int, between(0, 50, "percent")] = 50
    """Share of the new fleet that answers first; 0 starts all of it at once."""
    # The release waits an hour for an update (`UPDATE_SECONDS` in `stacks/release/definition.py`). Two baking times and
    # the start of the instances have to fit into it.
    bake_minutes: Annotated[int, between(1, 15, "minutes")] = 5
    """How long each step of an update is watched."""
    max_error_rate: Annotated[float, between(0, 1, "a share")] = 0.05
    """An update rolls back above this share of answers with status 500 or higher from the new fleet."""
    max_latency_ms: Annotated[int, between(1, 60_000, "milliseconds")] = 1000
    """An update rolls back when the 99th percentile of the new fleet's latency is above this."""

    @model_validator(mode="after")
    def _check_counts(self) -> Self:
        name = "serving.instances"
        check(
            self.max_count >= self.min_count,
            f"{name}.max_count",
            f"{self.max_count} is not allowed; instances from {self.min_count} to 100",
        )
        check(
            not self.canary_percent or self.canary_percent * self.min_count >= 100,
            f"{name}.canary_percent",
            f"{self.canary_percent} % of {self.min_count} is less than one instance; 0, or a larger share or "
            f"{name}.min_count (a canary is at most half of the fleet, so it takes two instances)",
        )
        return self

    @property
    def scales(self) -> bool:
        """Whether the number of instances follows the load."""
        return self.max_count > self.min_count


class ServingConfig(Section):
    """The endpoint, and what it serves before the first release.

    On AWS the default hub model is `distilbert/distilbert-base-uncased-finetuned-sst-2-english` at a pinned revision:
    a public sentiment model that reproduces the article's deployment and answers at once. It knows nothing about
    helpfulness and serves until a package is released through the parameter `ModelPackageArn`. Without a hub model
    (local) there is no endpoint yet and the API answers 503.
    """

    container: Literal["huggingface", "slim"] = "huggingface"
    """What serves new model packages: `huggingface`, AWS's official image; `slim`, our own image, built by CodeBuild
    during the deployment. Existing packages keep their image, and the hub model always uses the official one."""
    article: bool = False
    """Whether the endpoint is exactly the article's: its hub model in the official container, serverless with 4096 MB
    and 10 requests at once. It wins over the other values here. A new account has to raise both quotas first."""
    kind: Literal["serverless", "instances"] = "serverless"
    """`serverless`: paid per request, cold after a while; `instances`: paid per hour, see `instances`."""
    hub_model_id: str = ""
    """Model on the Hugging Face hub; empty for none."""
    hub_model_revision: str = ""
    """Commit of that model; empty takes the newest one at start-up."""
    memory_mb: Annotated[
        int,
        Field(
            ge=1024, le=6144, multiple_of=1024, json_schema_extra={"allowed": "1024, 2048, 3072, 4096, 5120 or 6144"}
        ),
    ] = 3072
    """Serverless: memory in MB; the share of vCPU grows with it. 3072 is the most that a new account may have;
    `make size-endpoint` reports what your own model needs (slim: 1024)."""
    max_concurrency: Annotated[int, between(1, 200, "requests")] = 5
    """Serverless: requests served at once; a new account's total may be 10, so this leaves room for a second
    environment."""
    provisioned_concurrency: ProvisionedConcurrencyConfig = ProvisionedConcurrencyConfig()
    """Serverless: how much of it is kept warm."""
    instances: InstancesConfig = InstancesConfig()
    """Settings of an endpoint of the kind `instances`; ignored for the other kind."""

    @model_validator(mode="before")
    @classmethod
    def _as_in_the_article(cls, values: dict[str, Any]) -> dict[str, Any]:
        return values | ARTICLE if str(values.get("article")).lower() == "true" else values

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        check(
            self.hub_model_id or not self.hub_model_revision,
            "serving.hub_model_revision",
            "is set but serving.hub_model_id is empty; set both or neither",
        )
        most_warm = self.provisioned_concurrency.max
        name = "serving.provisioned_concurrency.max"
        check(
            most_warm <= self.max_concurrency,
            name,
            f"{most_warm} is above serving.max_concurrency ({self.max_concurrency}); at most that many",
        )
        check(
            self.kind == "serverless" or not most_warm,
            name,
            f"is set but serving.kind is '{self.kind}'; 0 (only serverless endpoints have provisioned concurrency)",
        )
        return self

    @property
    def scales(self) -> bool:
        """Whether Application Auto Scaling adjusts the endpoint."""
        return self.instances.scales if self.kind == "instances" else self.provisioned_concurrency.scales

    @property
    def hub_model(self) -> str:
        """The hub model as `id` or `id@revision`; empty for none."""
        return "@".join(filter(None, (self.hub_model_id, self.hub_model_revision)))
