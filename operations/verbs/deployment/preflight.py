"""Whether an account can take a deployment: asked before it, changed nothing."""

import argparse
import json
from collections.abc import Iterator
from typing import Any

from operations.aws import inventory
from operations.aws.deployment import PROJECT, Deployment, connect
from operations.checks import FAILED, NOTE, OK, UNKNOWN, Check, guarded, judged, table
from operations.console import Answer
from operations.errors import OperationError
from operations.verbs.deployment.config import configuration
from stacks.common.container_image import INFERENCE, TRAINING, resolve_image
from stacks.config.environment import Config
from stacks.errors import StacksError

BOOTSTRAP_PARAMETER, BOOTSTRAP_VERSION = "/cdk-bootstrap/hnb659fds/version", 6  # what CDK's assets need
UNRESERVED = 100  # Lambda executions that AWS leaves to functions without a reservation
LARGEST_IMAGE = 10 * 1024**3  # of a serverless endpoint
_MANIFEST = ["application/vnd.docker.distribution.manifest.v2+json", "application/vnd.oci.image.manifest.v1+json"]


def preflight(arguments: argparse.Namespace) -> Answer:
    """Check whether this account and region can take the deployment that the configuration asks for.

    Nothing is changed. CONTEXT counts as for a deployment. The exit code is 1 if a check failed or could not be made.
    For example: make preflight ENV=dev, make preflight ENV=dev ARGS=--json
    """
    deployment, config, account = configured(arguments.env)
    return table([Check("credentials", OK, f"account {account}, region {config.region}"), *checks(deployment, config)])


def configured(env: str) -> tuple[Deployment, Config, str]:
    """Return an environment, its configuration with CONTEXT, and the account; credentials of another are refused."""
    deployment = connect(env)
    region = deployment.session.region_name
    if not region:
        raise OperationError("No region is set.", hint="export AWS_REGION=us-east-1, or `aws configure`")
    account = deployment.client("sts").get_caller_identity()["Account"]
    config = configuration(env, region)
    if (config.account or account, config.region) != (account, region):
        place = f"account {config.account or account}, region {config.region}"
        message = f"The configuration deploys to {place}; these credentials are of account {account}, region {region}."
        raise OperationError(message, hint=f"set credentials and AWS_REGION for {place}")
    return deployment, config, account


def checks(deployment: Deployment, config: Config) -> Iterator[Check]:
    """Yield the result of every check; one that AWS refuses to answer is unknown, and says what was refused."""
    if deployment.endpoint_url:
        yield Check("quotas, image size", NOTE, "not asked: the local cloud has none")
    of_aws = () if deployment.endpoint_url else (_quotas, _concurrency, _image_size)
    yield from guarded((_images, _bootstrap, *of_aws, _names, _email), deployment, config)


def _images(deployment: Deployment, config: Config) -> Iterator[Check]:
    for pin in (INFERENCE, TRAINING):
        try:
            yield Check(f"{pin.scope} image", OK, resolve_image(pin, config.region).uri)
        except StacksError as error:
            yield Check(f"{pin.scope} image", FAILED, str(error), "choose another region (AWS_REGION)")


def _bootstrap(deployment: Deployment, config: Config) -> Iterator[Check]:
    ssm = deployment.client("ssm")
    try:
        version = int(ssm.get_parameter(Name=BOOTSTRAP_PARAMETER)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        version = 0
    found = f"version {version}, needed {BOOTSTRAP_VERSION}" if version else f"missing in {config.region}"
    yield judged("bootstrap", version >= BOOTSTRAP_VERSION, found, "cdk bootstrap")


def needed_quotas(config: Config) -> dict[str, float]:
    """Return the quotas of SageMaker that the configuration needs: name → value."""
    serving, training = config.serving, config.training
    spot = "spot training" if training.spot else "training"
    needed: dict[str, float] = {
        f"{training.instance_type} for {spot} job usage": training.instance_count,
        f"{config.evidence_instance_type} for transform job usage": 1,
    }
    if serving.kind == "instances":
        return needed | {f"{serving.instances.instance_type} for endpoint usage": serving.instances.max_count}
    return needed | {
        "Memory size in MB per serverless endpoint": serving.memory_mb,
        "Maximum total concurrency that can be allocated across all serverless endpoints": serving.max_concurrency,
    }


def _quotas(deployment: Deployment, config: Config) -> Iterator[Check]:
    pages = deployment.client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
    granted = {quota["QuotaName"].lower(): quota["Value"] for page in pages for quota in page["Quotas"]}
    for name, needed in needed_quotas(config).items():
        value = granted.get(name.lower())
        ask = f"request {needed:g} in the Service Quotas console, Amazon SageMaker: {name}"
        if value is None:
            yield Check("quota", UNKNOWN, f"{name}: AWS lists none", "look for it in the Service Quotas console")
        else:
            found, way_out = f"{name}: {value:g}, needed {needed:g}", _WAYS_OUT.get(name.split()[0], ask)
            yield judged("quota", value >= needed, found, way_out)


_WAYS_OUT = {
    "Memory": "deploy with -c serving.memory_mb=3072 or less, or request more in the Service Quotas console",
    "Maximum": "deploy with a lower -c serving.max_concurrency, or request more in the Service Quotas console",
}


def _concurrency(deployment: Deployment, config: Config) -> Iterator[Check]:
    functions, reserved, held = deployment.client("lambda"), config.api.reserved_concurrency, config.api.held_executions
    account = functions.get_account_settings()["AccountLimit"]
    limit = account["ConcurrentExecutions"]
    try:
        own = functions.get_function_concurrency(FunctionName=f"{config.prefix}-predict")
    except functions.exceptions.ResourceNotFoundException:
        own = {}
    free = account["UnreservedConcurrentExecutions"] + own.get("ReservedConcurrentExecutions", 0)
    free = max(free - min(UNRESERVED, limit), 0)
    yield judged(
        "reserved concurrency",
        reserved <= free,
        f"{reserved} of {limit} Lambda executions; {free} can be reserved",
        "lower api.reserved_concurrency, or request more in the Service Quotas console, AWS Lambda",
    )
    found = f"while the model hangs, {held} of {limit} Lambda executions may wait for it"
    step = "lower api.predictions_rate_limit, set api.reserved_concurrency, or request a higher quota of AWS Lambda"
    yield Check("concurrency", OK, found) if 2 * held <= limit else Check("concurrency", NOTE, found, step)


def _image_size(deployment: Deployment, config: Config) -> Iterator[Check]:
    if config.serving.kind != "serverless" or (config.serving.container == "slim" and not config.serving.hub_model_id):
        return
    image = resolve_image(INFERENCE, config.region)
    answer = deployment.client("ecr").batch_get_image(
        registryId=image.registry,
        repositoryName=image.repository,
        imageIds=[{"imageTag": INFERENCE.tag}],
        acceptedMediaTypes=_MANIFEST,
    )
    if not answer["images"]:
        reason = answer["failures"][0]["failureReason"] if answer.get("failures") else "no image"
        yield Check("image size", FAILED, f"{image.uri}: {reason}", "choose another region (AWS_REGION)")
        return
    manifest: dict[str, Any] = json.loads(answer["images"][0]["imageManifest"])
    size = manifest["config"]["size"] + sum(layer["size"] for layer in manifest["layers"])
    found = f"{size / 1024**3:.1f} GB compressed, limit {LARGEST_IMAGE // 1024**3} GB"
    way_out = "deploy with -c serving.container=slim -c serving.hub_model_id= -c serving.hub_model_revision="
    yield judged("image size", size <= LARGEST_IMAGE, found, way_out)


def _names(deployment: Deployment, config: Config) -> Iterator[Check]:
    mine = inventory.owned(deployment)
    found = inventory.told(deployment, config, inventory.inventory(deployment))
    left = [one for one in found if one.name not in mine and one.whose in (inventory.LEFT_OVER, inventory.KEPT)]
    kept = [one for one in left if one.kind == inventory.BUCKET]  # a new one gets another name
    taken = [one for one in left if one not in kept]
    if kept:
        yield Check("kept data", NOTE, ", ".join(one.name for one in kept), kept[0].next_step)
    if not taken:
        yield Check("names", OK, f"none with {PROJECT}-{deployment.env} is taken")
        return
    step = "cdk import takes kept ones back (docs/first-deployment.md, Teardown); delete others, or set home_region"
    yield Check("names", FAILED, "taken: " + ", ".join(f"{one.kind} {one.name}" for one in taken), step)


def _email(deployment: Deployment, config: Config) -> Iterator[Check]:
    if not config.monitoring.monthly_budget_usd:
        yield Check("budget", NOTE, "none", "-c monitoring.monthly_budget_usd=50 warns of costs")
    address = config.notifications.email
    if not address:
        yield Check("e-mail", NOTE, "nobody is told of alarms", "-c notifications.email=somebody@example.com")
        return
    topic = deployment.outputs.get("NotificationTopicArn")
    subscriptions = deployment.client("sns").get_paginator("list_subscriptions_by_topic")
    pages = subscriptions.paginate(TopicArn=topic) if topic else ()
    found = {one["Endpoint"]: one["SubscriptionArn"] for page in pages for one in page["Subscriptions"]}
    if found.get(address) == "PendingConfirmation":
        yield Check("e-mail", FAILED, f"{address} is not confirmed", "open the link in AWS's message to it")
    elif topic and address not in found:  # SNS forgets an address that does not confirm in time
        step = f"if it was deployed before, subscribe it to {topic} again in the SNS console"
        yield Check("e-mail", NOTE, f"{address} is not subscribed", step)
    else:
        yield Check("e-mail", OK, address)
