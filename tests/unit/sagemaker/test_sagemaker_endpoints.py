"""Endpoints from creation to deletion, each with a real server process."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from local.sagemaker.common.errors import ServiceError

pytestmark = pytest.mark.integration  # real processes

ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/reviews"


def answer(cloud: Any, **order: Any) -> dict[str, Any]:
    return json.loads(cloud.invoke("reviews", json.dumps(order).encode()).body)


def test_endpoint_serves_its_artifact(cloud: Any) -> None:
    """InService means that the artifact's own server answers, with its files and the container's environment."""
    endpoint = cloud.deploy("1", environment={"EXTRA": "yes"})
    assert endpoint["EndpointStatus"] == "InService"
    assert (endpoint["EndpointArn"], endpoint["EndpointConfigName"]) == (ARN, "config-1")
    assert endpoint["ProductionVariants"][0]["CurrentServerlessConfig"]["MaxConcurrency"] == 10
    seen = answer(cloud)
    assert seen["version"] == "1"
    assert "version.txt" in seen["folder"]
    assert seen["environment"]["EXTRA"] == "yes"
    assert seen["environment"]["AWS_ACCESS_KEY_ID"] == "ASIA1"
    assert seen["environment"]["SAGEMAKER_BIND_TO_HOST"] == "127.0.0.1"


def test_server_environment_is_clean(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the local cloud's environment reaches a model server."""
    monkeypatch.setenv("SERVER_SECRET", "hush")
    cloud.deploy()
    assert "SERVER_SECRET" not in answer(cloud)["environment"]


def test_server_log_reaches_the_log_group(cloud: Any) -> None:
    """What the server prints is in /aws/sagemaker/Endpoints/<name> and in a file."""
    cloud.deploy()
    group = "/aws/sagemaker/Endpoints/reviews"
    cloud.until(lambda: cloud.surroundings.log_of(group), lambda lines: "serving 1" in lines)
    assert "serving 1" in (cloud.settings.log_dir / "endpoints" / "reviews-AllTraffic.log").read_text()


def test_deleted_endpoint_is_gone_with_its_process(cloud: Any) -> None:
    """After DeleteEndpoint the name is free, the runtime says so in AWS's words, and no process is left."""
    cloud.deploy()
    port = int(answer(cloud)["environment"]["SAGEMAKER_BIND_TO_PORT"])
    cloud.call("DeleteEndpoint", EndpointName="reviews")
    cloud.until(lambda: cloud.call("ListEndpoints")["Endpoints"], lambda left: left == [])
    with pytest.raises(ServiceError) as missing:
        cloud.call("DescribeEndpoint", EndpointName="reviews")
    assert (missing.value.code, missing.value.message) == ("ValidationException", f'Could not find endpoint "{ARN}".')
    with pytest.raises(ServiceError) as missing:
        cloud.invoke("reviews")
    assert missing.value.code == "ValidationError"
    assert missing.value.message == "Endpoint reviews of account 000000000000 not found."
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"BEHAVIOUR": "exit"}, "exit code 3; last log lines: cannot load the model"),
        ({"BEHAVIOUR": "never ready"}, "/ping did not answer 200 within 1 s"),
        ({"HF_MODEL_ID": "org/model"}, "would load org/model from the Hugging Face hub"),
    ],
)
def test_endpoint_that_does_not_come_up(start_cloud: Any, environment: dict[str, str], words: str) -> None:
    """A server that ends, never gets ready or wants the hub makes the endpoint Failed with the reason."""
    cloud = start_cloud(endpoint_start_seconds=1.0)
    endpoint = cloud.deploy("1", environment=environment)
    assert endpoint["EndpointStatus"] == "Failed"
    assert words in endpoint["FailureReason"]


def test_ping_failure_is_worded_as_on_aws(start_cloud: Any) -> None:
    """The reason begins with AWS's sentence, which names the variant."""
    cloud = start_cloud(endpoint_start_seconds=5.0)
    reason = cloud.deploy("1", environment={"BEHAVIOUR": "exit"})["FailureReason"]
    assert reason.startswith(
        "The primary container for production variant AllTraffic did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )


def test_artifact_that_may_not_be_read(cloud: Any) -> None:
    """A model role without the right to its artifact makes the endpoint Failed with AccessDenied."""
    cloud.surroundings.unreadable.add("s3://bucket/models/1/")
    reason = cloud.deploy("1")["FailureReason"]
    assert reason.startswith('Failed to download model data for container "container_1" from URL: "s3://bucket/models/')
    assert "AccessDenied" in reason


def test_artifact_that_is_no_archive(cloud: Any) -> None:
    """An artifact that is not a tar.gz makes the endpoint Failed and leaves no partial folder."""
    name = cloud.create_config("1")
    cloud.surroundings.put("s3://bucket/models/1/model.tar.gz", b"not an archive")
    cloud.call("CreateEndpoint", EndpointName="reviews", EndpointConfigName=name)
    assert "is not a usable model.tar.gz" in cloud.endpoint()["FailureReason"]
    assert list((cloud.settings.state_dir / "artifacts").iterdir()) == []


def test_failed_endpoint_can_only_be_deleted(cloud: Any) -> None:
    """UpdateEndpoint on a failed endpoint is refused; DeleteEndpoint works."""
    cloud.deploy("1", environment={"HF_MODEL_ID": "org/model"})
    with pytest.raises(ServiceError) as refused:
        cloud.call("UpdateEndpoint", EndpointName="reviews", EndpointConfigName="config-1")
    assert "in status Failed" in refused.value.message
    cloud.call("DeleteEndpoint", EndpointName="reviews")
    cloud.until(lambda: cloud.call("ListEndpoints")["Endpoints"], lambda left: left == [])


def test_existing_names_are_refused_in_aws_words(cloud: Any) -> None:
    """A model, configuration or endpoint with an existing name is refused in AWS's words."""
    cloud.deploy()
    with pytest.raises(ServiceError) as endpoint:
        cloud.call("CreateEndpoint", EndpointName="reviews", EndpointConfigName="config-1")
    assert endpoint.value.message == f'Cannot create already existing endpoint "{ARN}".'
    with pytest.raises(ServiceError) as model:
        cloud.create_config("1")
    assert model.value.message.startswith('Cannot create already existing model "arn:aws:sagemaker:')


def test_missing_parts_are_refused_in_aws_words(cloud: Any) -> None:
    """A configuration without its model and an endpoint without its configuration name what is missing."""
    variant = {
        "VariantName": "v",
        "ModelName": "nobody",
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }
    with pytest.raises(ServiceError) as model:
        cloud.call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant])
    assert model.value.message == 'Could not find model "arn:aws:sagemaker:us-east-1:000000000000:model/nobody".'
    with pytest.raises(ServiceError) as config:
        cloud.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    assert config.value.message == (
        'Could not find endpoint configuration "arn:aws:sagemaker:us-east-1:000000000000:endpoint-config/c".'
    )


def test_endpoint_under_way_is_not_touched(cloud: Any) -> None:
    """While an endpoint is being created it can be neither updated nor deleted."""
    name = cloud.create_config("1")
    cloud.call("CreateEndpoint", EndpointName="reviews", EndpointConfigName=name)
    for action, params in (("UpdateEndpoint", {"EndpointConfigName": name}), ("DeleteEndpoint", {})):
        with pytest.raises(ServiceError) as refused:
            cloud.call(action, EndpointName="reviews", **params)
        assert refused.value.message == f'Cannot update in-progress endpoint "{ARN}".'
    with pytest.raises(ServiceError) as missing:
        cloud.invoke("reviews")
    assert missing.value.code == "ValidationError"


def test_an_endpoint_has_one_variant(cloud: Any) -> None:
    """An instance-backed variant answers; a configuration with two is refused in one sentence."""
    cloud.create_config("1")
    variant = {"VariantName": "v", "ModelName": "model-1", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    cloud.call("CreateEndpointConfig", EndpointConfigName="one", ProductionVariants=[variant])
    cloud.call("CreateEndpoint", EndpointName="reviews", EndpointConfigName="one")
    assert cloud.endpoint()["EndpointStatus"] == "InService"
    result = cloud.invoke("reviews")
    variant_name = result.headers["x-Amzn-Invoked-Production-Variant"]
    assert (json.loads(result.body)["version"], variant_name) == ("1", "v")
    both = [variant, {**variant, "VariantName": "w"}]
    with pytest.raises(ServiceError, match="does not support several production variants"):
        cloud.call("CreateEndpointConfig", EndpointConfigName="both", ProductionVariants=both)


@pytest.mark.parametrize(
    ("serverless", "words"),
    [
        ({"MemorySizeInMB": 512}, "Value '512' at 'productionVariants.1.member.serverlessConfig.memorySizeInMB'"),
        ({"MemorySizeInMB": 1500}, "Value '1500' at 'productionVariants.1.member.serverlessConfig.memorySizeInMB'"),
        ({"MaxConcurrency": 201}, "Member must have value less than or equal to 200"),
        ({"MaxConcurrency": 2, "ProvisionedConcurrency": 3}, "must not exceed MaxConcurrency (2)"),
    ],
)
def test_serverless_limits(cloud: Any, serverless: dict[str, int], words: str) -> None:
    """Memory and concurrency outside AWS's limits are refused, naming member and limit."""
    with pytest.raises(ServiceError) as refused:
        cloud.create_config("1", **serverless)
    assert refused.value.code == "ValidationException"
    assert words in refused.value.message


def test_deployment_config_is_not_for_serverless(cloud: Any) -> None:
    """Deployment guardrails on a serverless endpoint are refused, as AWS does."""
    cloud.deploy()
    name = cloud.create_config("2")
    policy = {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}}
    with pytest.raises(ServiceError) as refused:
        cloud.call(
            "UpdateEndpoint",
            EndpointName="reviews",
            EndpointConfigName=name,
            DeploymentConfig={"BlueGreenUpdatePolicy": policy},
        )
    assert refused.value.message == "DeploymentConfig is not supported for serverless endpoints."
