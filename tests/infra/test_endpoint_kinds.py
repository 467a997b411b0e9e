"""Kinds of endpoints: what is kept warm, instances, their scaling, and what watches over an update."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Match, Template
from conftest import STACKS, VARIANTS
from policies import Need, allows, missing, statements_of
from template_values import TemplateValues

from stacks.config.environment import load_config
from stacks.errors import ConfigError
from stacks.serving.stack import ServingStack

if TYPE_CHECKING:
    from conftest import Assemblies

TARGET, POLICY = "AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy"
CONFIG, ENDPOINT, ALARM = "AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Endpoint", "AWS::CloudWatch::Alarm"
WARM, INSTANCES = "serving.provisioned_concurrency", "serving.instances"
KIND = {"serving.kind": "instances"}


@pytest.fixture
def synthesise(cdk_context: dict[str, Any]) -> Callable[..., Template]:
    """Synthesises the serving stack of an environment with values overridden."""

    def make(values: dict[str, object], env: str = "dev") -> Template:
        config = load_config({**cdk_context, "env": env, **values}.get, {})
        return Template.from_stack(ServingStack(App(analytics_reporting=False), config=config))

    return make


def only(template: Template, kind: str) -> dict[str, Any]:
    """The one resource of a type."""
    (found,) = template.find_resources(kind).values()
    resource: dict[str, Any] = found
    return resource


def variant(template: Template) -> dict[str, Any]:
    """The variant of the endpoint config."""
    (found,) = only(template, CONFIG)["Properties"]["ProductionVariants"]
    made: dict[str, Any] = found
    return made


def hub_model(template: Template) -> dict[str, Any]:
    """The container of the model that is served before the first release."""
    models = template.find_resources("AWS::SageMaker::Model").values()
    (found,) = (model for model in models if model["Condition"] == "HasNoModelPackage")
    made: dict[str, Any] = found["Properties"]["PrimaryContainer"]
    return made


def test_the_articles_endpoint_is_one_setting(synthesise: Callable[..., Template]) -> None:
    """`-c serving.article=true` gives the article's hub model, 4096 MB and 10 at once, whatever else is configured."""
    template = synthesise({"serving.article": "true", "serving.memory_mb": "1024", **KIND, "serving.container": "slim"})
    assert variant(template)["ServerlessConfig"] == {"MemorySizeInMB": 4096, "MaxConcurrency": 10}
    model = hub_model(template)
    assert "/huggingface-pytorch-inference:" in model["Image"]
    assert model["Environment"]["HF_MODEL_ID"] == "distilbert/distilbert-base-uncased-finetuned-sst-2-english"
    assert model["Environment"]["HF_TASK"] == "text-classification"


def test_nothing_scales_and_nothing_is_kept_warm_by_default(synthesise: Callable[..., Template]) -> None:
    """The article's endpoint holds no scalable target, no alarm and no deployment config."""
    template = synthesise({})
    for kind in (TARGET, POLICY, ALARM):
        template.resource_count_is(kind, 0)
    assert set(only(template, ENDPOINT)["Properties"]) == {"EndpointName", "EndpointConfigName"}
    assert "ProvisionedConcurrency" not in variant(template)["ServerlessConfig"]


def test_a_fixed_number_kept_warm_needs_no_scaling(synthesise: Callable[..., Template]) -> None:
    """`min` equal to `max` is a property of the endpoint config and nothing else."""
    template = synthesise({f"{WARM}.min": 3, f"{WARM}.max": 3})
    assert variant(template)["ServerlessConfig"]["ProvisionedConcurrency"] == 3
    template.resource_count_is(TARGET, 0)


def test_what_is_kept_warm_follows_the_load(synthesise: Callable[..., Template]) -> None:
    """Between `min` and `max` the provisioned concurrency tracks its utilisation, beginning at `min`."""
    template = synthesise({f"{WARM}.min": 2, f"{WARM}.max": 4, f"{WARM}.target": 0.5})
    assert variant(template)["ServerlessConfig"]["ProvisionedConcurrency"] == 2
    assert only(template, TARGET)["Properties"] == {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": "sagemaker:variant:DesiredProvisionedConcurrency",
        "ResourceId": "endpoint/text-classifier-dev/variant/AllTraffic",
        "MinCapacity": 2,
        "MaxCapacity": 4,
    }
    tracking = only(template, POLICY)["Properties"]["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == 0.5
    assert tracking["PredefinedMetricSpecification"] == {
        "PredefinedMetricType": "SageMakerVariantProvisionedConcurrencyUtilization"
    }


@pytest.mark.parametrize("values", [{f"{WARM}.min": 1, f"{WARM}.max": 2}, {**KIND, f"{INSTANCES}.max_count": 3}])
def test_scaling_comes_and_goes_with_the_endpoint(synthesise: Callable[..., Template], values: Any) -> None:
    """Target and policy exist under the endpoint's condition, are made after it, and name no role."""
    template = synthesise({**values, "serving.hub_model_id": "", "serving.hub_model_revision": ""})
    (endpoint,) = template.find_resources(ENDPOINT)
    target, policy = only(template, TARGET), only(template, POLICY)
    assert target["Condition"] == policy["Condition"] == only(template, ENDPOINT)["Condition"] == "HasModelPackage"
    assert target["DependsOn"] == [endpoint]
    assert "RoleARN" not in target["Properties"]


def test_instances_replace_the_serverless_config(synthesise: Callable[..., Template]) -> None:
    """The variant keeps its name and has a type and a count; models run one process per vCPU."""
    template = synthesise({**KIND, f"{INSTANCES}.instance_type": "ml.m5.xlarge", f"{INSTANCES}.workers": 4})
    found = variant(template)
    assert (found["VariantName"], found["InstanceType"], found["InitialInstanceCount"]) == (
        "AllTraffic",
        "ml.m5.xlarge",
        2,
    )
    assert "ServerlessConfig" not in found
    for model in template.find_resources("AWS::SageMaker::Model").values():
        assert model["Properties"]["PrimaryContainer"]["Environment"]["SAGEMAKER_MODEL_SERVER_WORKERS"] == "4"


@pytest.mark.parametrize(("settings", "isolated"), [(KIND, True), ({}, None)], ids=["instances", "serverless"])
def test_packages_on_instances_have_no_network(
    synthesise: Callable[..., Template], settings: dict[str, Any], isolated: bool | None
) -> None:
    """A package's model on instances is isolated; a serverless one can't be, nor one that loads from the hub."""
    models = synthesise(settings).find_resources("AWS::SageMaker::Model").values()
    found = {model["Condition"]: model["Properties"].get("EnableNetworkIsolation") for model in models}
    assert found["HasModelPackage"] is isolated and found.get("HasNoModelPackage") is None


def test_kinds_have_endpoints_of_different_names(synthesise: Callable[..., Template]) -> None:
    """SageMaker makes no endpoint of one kind into the other, so that a change has to be a replacement."""
    names = [only(synthesise(values), ENDPOINT)["Properties"]["EndpointName"] for values in ({}, KIND)]
    assert names == ["text-classifier-dev", "text-classifier-dev-instances"]


@pytest.mark.parametrize(
    ("metric", "predefined"),
    [
        ("invocations", "SageMakerVariantInvocationsPerInstance"),
        ("concurrency", "SageMakerVariantConcurrentRequestsPerModelHighResolution"),
    ],
)
def test_instances_follow_the_metric_asked_for(
    synthesise: Callable[..., Template], metric: str, predefined: str
) -> None:
    """Either metric of an instance steers the number between its bounds."""
    values = {
        f"{INSTANCES}.{name}": value
        for name, value in (("max_count", 5), ("scaling_metric", metric), ("scaling_target", 7))
    }
    template = synthesise({**KIND, **values})
    template.has_resource_properties(
        TARGET, {"ScalableDimension": "sagemaker:variant:DesiredInstanceCount", "MinCapacity": 2, "MaxCapacity": 5}
    )
    tracking = only(template, POLICY)["Properties"]["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["PredefinedMetricSpecification"] == {"PredefinedMetricType": predefined}
    assert tracking["TargetValue"] == 7


@pytest.mark.parametrize(("max_count", "retained"), [(2, None), (5, True)])
def test_a_release_under_load_keeps_the_number_of_instances(
    synthesise: Callable[..., Template], max_count: int, retained: bool | None
) -> None:
    """Where the count follows the load, an update starts with as many as there are; else with the configured ones."""
    endpoint = only(synthesise({**KIND, f"{INSTANCES}.max_count": max_count}), ENDPOINT)
    assert endpoint["Properties"].get("RetainAllVariantProperties") is retained


def test_an_update_bakes_twice_under_two_alarms(synthesise: Callable[..., Template]) -> None:
    """A canary answers first, then all; either alarm takes the update back, within the release's hour."""
    template = synthesise({**KIND, f"{INSTANCES}.bake_minutes": 10, f"{INSTANCES}.canary_percent": 50})
    deployment = only(template, ENDPOINT)["Properties"]["DeploymentConfig"]
    alarms = {entry["AlarmName"]["Ref"] for entry in deployment["AutoRollbackConfiguration"]["Alarms"]}
    assert alarms == set(template.find_resources(ALARM)) and len(alarms) == 2
    update = deployment["BlueGreenUpdatePolicy"]
    assert update["TrafficRoutingConfiguration"] == {
        "Type": "CANARY",
        "WaitIntervalInSeconds": 600,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
    }
    assert update["TerminationWaitInSeconds"] == 600
    assert 1200 < update["MaximumExecutionTimeoutInSeconds"] < 3600


def test_a_single_instance_is_replaced_at_once(synthesise: Callable[..., Template]) -> None:
    """Half of one instance is none: without a canary all requests move together, and are still watched."""
    template = synthesise(
        {**KIND, f"{INSTANCES}.min_count": 1, f"{INSTANCES}.max_count": 1, f"{INSTANCES}.canary_percent": 0}
    )
    deployment = only(template, ENDPOINT)["Properties"]["DeploymentConfig"]
    assert deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"] == {"Type": "ALL_AT_ONCE"}
    assert len(deployment["AutoRollbackConfiguration"]["Alarms"]) == 2


def test_alarms_see_the_new_fleet_alone(synthesise: Callable[..., Template]) -> None:
    """Their dimensions and names hold the endpoint config: nothing that the old fleet did trips them."""
    template = synthesise({**KIND, f"{INSTANCES}.max_latency_ms": 250, f"{INSTANCES}.max_error_rate": 0.01})
    (config,) = template.find_resources(CONFIG)
    config_name = {"Fn::GetAtt": [config, "EndpointConfigName"]}
    for metric, threshold in (("Invocation5XXErrors", 0.01), ("ModelLatency", 250_000)):
        template.has_resource_properties(
            ALARM,
            {
                "MetricName": metric,
                "Threshold": threshold,
                "Namespace": "AWS/SageMaker",
                "TreatMissingData": "notBreaching",
                "AlarmName": {"Fn::Join": ["", Match.array_with([config_name])]},
                "Dimensions": Match.array_with([{"Name": "EndpointConfigName", "Value": config_name}]),
            },
        )


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({f"{WARM}.min": 1, f"{WARM}.max": 6}, f"{WARM}.max"),  # max_concurrency is 5
        ({f"{WARM}.min": 2, f"{WARM}.max": 1}, f"{WARM}.max"),
        ({f"{WARM}.max": 2}, f"{WARM}.min"),
        ({f"{WARM}.min": 201, f"{WARM}.max": 201}, f"{WARM}.min"),
        ({f"{WARM}.min": -1}, f"{WARM}.min"),
        ({f"{WARM}.min": 1, f"{WARM}.max": 2, f"{WARM}.target": 1.0}, f"{WARM}.target"),
        ({**KIND, f"{WARM}.min": 1, f"{WARM}.max": 2}, f"{WARM}.max"),
        ({"serving.kind": "async"}, "serving.kind"),
        ({**KIND, f"{INSTANCES}.instance_type": "c5.large"}, f"{INSTANCES}.instance_type"),
        ({**KIND, f"{INSTANCES}.min_count": 0}, f"{INSTANCES}.min_count"),
        ({**KIND, f"{INSTANCES}.min_count": 3}, f"{INSTANCES}.max_count"),  # max_count is 2
        ({**KIND, f"{INSTANCES}.min_count": 1}, f"{INSTANCES}.canary_percent"),  # half of one instance
        ({**KIND, f"{INSTANCES}.canary_percent": 51}, f"{INSTANCES}.canary_percent"),
        ({**KIND, f"{INSTANCES}.canary_percent": 10}, f"{INSTANCES}.canary_percent"),
        ({**KIND, f"{INSTANCES}.bake_minutes": 16}, f"{INSTANCES}.bake_minutes"),
        ({**KIND, f"{INSTANCES}.workers": 0}, f"{INSTANCES}.workers"),
        ({**KIND, f"{INSTANCES}.scaling_metric": "cpu"}, f"{INSTANCES}.scaling_metric"),
        ({**KIND, f"{INSTANCES}.scaling_target": 0}, f"{INSTANCES}.scaling_target"),
        ({**KIND, f"{INSTANCES}.max_error_rate": 1.1}, f"{INSTANCES}.max_error_rate"),
        ({**KIND, f"{INSTANCES}.max_latency_ms": 0}, f"{INSTANCES}.max_latency_ms"),
        ({f"{INSTANCES}": {"size": "large"}}, f"{INSTANCES}.size"),
    ],
)
def test_what_aws_would_refuse_is_refused_by_name(cdk_context: dict[str, Any], values: Any, field: str) -> None:
    """A combination that can't be deployed fails at synthesis, with the value's name and what is allowed."""
    context = {**cdk_context, **values}
    if isinstance(values.get(INSTANCES), dict):
        block = {**cdk_context["environments"]["dev"]}
        block["serving"] = {**block["serving"], "instances": values[INSTANCES]}
        context = {"environments": {"dev": block}}
    with pytest.raises(ConfigError) as caught:
        load_config(context.get, {})
    assert caught.value.field == field


def release_statements(
    assemblies: Assemblies, name: str, role: str = "release", stack: str = "release"
) -> list[dict[str, Any]]:
    """What the release role, or another one, of an environment or variant is allowed."""
    env = VARIANTS.get(name, {}).get("env", name)
    values = TemplateValues(assemblies.template(name, stack), [assemblies.template(name, s) for s in STACKS])
    return statements_of(values, f"arn:aws:iam::111122223333:role/text-classifier-{env}-{role}")


def scaling_needs(dimension: str, endpoint: str) -> list[Need]:
    """What CloudFormation and Application Auto Scaling ask of whoever makes and removes target and policy."""
    context = {
        "application-autoscaling:service-namespace": "sagemaker",
        "application-autoscaling:scalable-dimension": f"sagemaker:variant:{dimension}",
    }
    target = "arn:aws:application-autoscaling:us-east-1:111122223333:scalable-target/0ec5a1b2"
    calls = ("RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy")
    alarm = f"arn:aws:cloudwatch:us-east-1:111122223333:alarm:TargetTracking-endpoint/{endpoint}/variant/AllTraffic-x"
    service = "sagemaker.application-autoscaling.amazonaws.com"
    return [
        *(Need(f"application-autoscaling:{call}", target, context) for call in calls),
        *(Need(f"application-autoscaling:{call}", target) for call in ("TagResource", "UntagResource")),
        *(Need(f"application-autoscaling:Describe{kind}", "*") for kind in ("ScalableTargets", "ScalingPolicies")),
        *(Need(f"cloudwatch:{call}", alarm) for call in ("PutMetricAlarm", "DescribeAlarms", "DeleteAlarms")),
        Need(
            "sagemaker:UpdateEndpointWeightsAndCapacities",
            f"arn:aws:sagemaker:us-east-1:111122223333:endpoint/{endpoint}",
        ),
        Need(
            "iam:CreateServiceLinkedRole",
            f"arn:aws:iam::111122223333:role/aws-service-role/{service}/"
            "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
            {"iam:AWSServiceName": service},
        ),
    ]


@pytest.mark.parametrize(
    ("name", "dimension", "endpoint"),
    [
        ("slim", "DesiredProvisionedConcurrency", "text-classifier-dev"),
        ("instances", "DesiredInstanceCount", "text-classifier-prod-instances"),
    ],
)
def test_release_role_may_do_what_scaling_takes(
    assemblies: Assemblies, name: str, dimension: str, endpoint: str
) -> None:
    """A release may make and remove whatever the serving stack scales with, of this kind of endpoint only."""
    statements = release_statements(assemblies, name)
    needs = scaling_needs(dimension, endpoint)
    assert missing(statements, needs) == []
    foreign = {
        "application-autoscaling:service-namespace": "dynamodb",
        "application-autoscaling:scalable-dimension": "dynamodb:table:ReadCapacityUnits",
    }
    for context in (foreign, {}):
        assert not allows(statements, Need(needs[0].action, needs[0].resource, context))


def test_release_role_may_make_the_guarding_alarms_only(assemblies: Assemblies) -> None:
    """It makes and removes the alarms of updates of this endpoint; others it can but look at."""
    statements = release_statements(assemblies, "instances")
    alarms = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:"
    own = f"{alarms}text-classifier-prod-instances-update-errors-text-classifier-prod--7-0123456789ab"
    calls = ("PutMetricAlarm", "DescribeAlarms", "DeleteAlarms", "TagResource", "UntagResource", "ListTagsForResource")
    assert missing(statements, [Need(f"cloudwatch:{call}", own) for call in calls]) == []
    assert not allows(statements, Need("cloudwatch:DeleteAlarms", f"{alarms}text-classifier-prod-budget"))


def test_model_role_may_look_at_the_guarding_alarms_only(assemblies: Assemblies) -> None:
    """SageMaker asks for it under the execution role; a serverless endpoint has no such alarms, and no such right."""
    alarms = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:text-classifier-prod-instances-"
    own = Need("cloudwatch:DescribeAlarms", f"{alarms}update-errors-text-classifier-prod--7-0123456789ab")
    statements = release_statements(assemblies, "instances", "model", "training")
    assert missing(statements, [own]) == []
    assert not allows(statements, Need(own.action, f"{alarms}errors"))
    plain = release_statements(assemblies, "prod", "model", "training")
    assert plain and "cloudwatch:DescribeAlarms" not in str(plain)


def test_release_role_of_a_plain_endpoint_has_no_right_more(assemblies: Assemblies) -> None:
    """Without scaling or guards the role holds nothing about either."""
    actions = {
        action
        for statement in release_statements(assemblies, "dev")
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert {action.split(":")[0] for action in actions} == {"sagemaker", "iam"}
    assert "iam:CreateServiceLinkedRole" not in actions


@pytest.mark.parametrize("name", VARIANTS)
def test_serving_stack_still_needs_no_capability(assemblies: Assemblies, name: str) -> None:
    """Whatever the kind: nothing of IAM, no import, and one parameter, so that a release stays one UpdateStack."""
    template = assemblies.template(name, "serving")
    types = {resource["Type"] for resource in template["Resources"].values()}
    assert not [kind for kind in types if kind.startswith(("AWS::IAM", "Custom::", "AWS::Lambda"))]
    assert set(template["Parameters"]) == {"ModelPackageArn"}
    assert "Fn::ImportValue" not in str(template)
