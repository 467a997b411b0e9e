"""CloudFormation in the local cloud: endpoints that must answer, rollbacks, service roles, and closed gaps."""

from __future__ import annotations

import argparse
import json
import urllib.error
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from operations.aws.deployment import Deployment
from operations.verbs.deployment import preflight
from stacks.common.permissions import list_below
from stacks.training.job.network import IsolatedNetwork
from tiny_serving import artifact

pytestmark = pytest.mark.integration

ACCOUNT = "000000000000"
BUCKET = "stacks"
SAGEMAKER = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"
SERVING = {
    "Parameters": {"Version": {"Type": "String", "Default": ""}, "Role": {"Type": "String"}},
    "Conditions": {"Released": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Version"}, ""]}]}},
    "Resources": {
        "Placeholder": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Condition": "Released",
            "Properties": {
                "ExecutionRoleArn": {"Ref": "Role"},
                "PrimaryContainer": {
                    "Image": "tiny-serving:1",
                    "ModelDataUrl": {"Fn::Sub": f"s3://{BUCKET}/${{Version}}/model.tar.gz"},
                    "Environment": {"MODEL_VERSION": {"Ref": "Version"}},
                },
            },
        },
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Condition": "Released",
            "Properties": {
                "ProductionVariants": [
                    {
                        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
                        "VariantName": "main",
                        "ServerlessConfig": {"MaxConcurrency": "5", "MemorySizeInMB": "2048"},
                    }
                ]
            },
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Condition": "Released",
            "Properties": {
                "EndpointName": {"Ref": "AWS::StackName"},
                "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
            },
        },
    },
}


@pytest.fixture(scope="module")
def model_role(server: Any) -> str:
    """Role of the models, and a bucket with two good artifacts (one, two) and a broken one (bad)."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for version, body in (("one", artifact()), ("two", artifact()), ("bad", b"nonsense")):
        s3.put_object(Bucket=BUCKET, Key=f"{version}/model.tar.gz", Body=body)
    everything = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    return server.role("model", "sagemaker.amazonaws.com", {"Action": "s3:*", "Resource": everything})


def _create(server: Any, name: str, template: dict[str, Any], **options: Any) -> str:
    server.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template), **options)
    return server.settled(name)


def _release(server: Any, client: Any, name: str, version: str, **options: Any) -> str:
    parameters = [
        {"ParameterKey": "Version", "ParameterValue": version},
        {"ParameterKey": "Role", "UsePreviousValue": True},
    ]
    client.update_stack(StackName=name, UsePreviousTemplate=True, Parameters=parameters, **options)
    return server.settled(name)


def _serving(server: Any, name: str, model_role: str) -> None:
    parameters = [{"ParameterKey": "Role", "ParameterValue": model_role}]
    assert _create(server, name, SERVING, Parameters=parameters) == "CREATE_COMPLETE"


def _answer(server: Any, name: str) -> str:
    runtime = server.client("sagemaker-runtime")
    return runtime.invoke_endpoint(EndpointName=name, Body=b"x", ContentType="text/plain")["Body"].read().decode()


def _reasons(server: Any, name: str) -> str:
    events = server.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return " ".join(e.get("ResourceStatusReason", "") for e in events if e["ResourceStatus"].endswith("FAILED"))


def test_a_release_is_one_changed_parameter(server: Any, model_role: str) -> None:
    """UpdateStack with the previous template brings the endpoint up, switches it, and is a no-op when repeated."""
    _serving(server, "release", model_role)
    cloudformation = server.client("cloudformation")
    assert _release(server, cloudformation, "release", "one") == "UPDATE_COMPLETE"
    assert _answer(server, "release") == "one"
    assert _release(server, cloudformation, "release", "two") == "UPDATE_COMPLETE"
    assert _answer(server, "release") == "two"
    assert len(server.client("sagemaker").list_models(NameContains="release")["Models"]) == 1
    with pytest.raises(ClientError, match="No updates are to be performed"):
        _release(server, cloudformation, "release", "two")


def test_a_bad_model_is_rolled_back_and_the_old_one_keeps_serving(server: Any, model_role: str) -> None:
    """The stack returns to the previous parameter, with the reason in an event and nothing of the attempt left."""
    _serving(server, "rollback", model_role)
    cloudformation = server.client("cloudformation")
    _release(server, cloudformation, "rollback", "one")
    assert _release(server, cloudformation, "rollback", "bad") == "UPDATE_ROLLBACK_COMPLETE"
    assert "model.tar.gz" in _reasons(server, "rollback")
    assert _answer(server, "rollback") == "one"
    stack = cloudformation.describe_stacks(StackName="rollback")["Stacks"][0]
    assert {"ParameterKey": "Version", "ParameterValue": "one"} in stack["Parameters"]
    assert len(server.client("sagemaker").list_models(NameContains="rollback")["Models"]) == 1


def test_a_first_model_that_is_bad_leaves_the_name_free(server: Any, model_role: str) -> None:
    """After a failed first release the endpoint is gone, and a good one can follow."""
    _serving(server, "first", model_role)
    cloudformation = server.client("cloudformation")
    assert _release(server, cloudformation, "first", "bad") == "UPDATE_ROLLBACK_COMPLETE"
    with pytest.raises(ClientError, match="not found"):
        _answer(server, "first")
    assert _release(server, cloudformation, "first", "one") == "UPDATE_COMPLETE"
    stack = cloudformation.describe_stacks(StackName="first")["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName="first")
    assert server.settled(stack) == "DELETE_COMPLETE"
    assert server.client("sagemaker").list_endpoints(NameContains="first")["Endpoints"] == []


def test_a_service_role_limits_what_an_update_may_do(server: Any, model_role: str) -> None:
    """CloudFormation works with the rights of the role it is given, and of nobody else."""
    _serving(server, "limited", model_role)
    role = server.role("release", "cloudformation.amazonaws.com", {"Action": "sagemaker:Describe*", "Resource": "*"})
    cloudformation = server.client("cloudformation")
    assert _release(server, cloudformation, "limited", "one", RoleARN=role) == "UPDATE_ROLLBACK_COMPLETE"
    assert "sagemaker:CreateModel" in _reasons(server, "limited")
    sagemaker = {"Action": "sagemaker:*", "Resource": f"{SAGEMAKER}:*"}
    server.grant("release", sagemaker)
    assert _release(server, cloudformation, "limited", "one", RoleARN=role) == "UPDATE_ROLLBACK_COMPLETE"
    assert "iam:PassRole" in _reasons(server, "limited")
    server.grant("release", sagemaker, {"Action": "iam:PassRole", "Resource": model_role})
    assert _release(server, cloudformation, "limited", "one") == "UPDATE_COMPLETE", "the stack keeps the role"
    assert cloudformation.describe_stacks(StackName="limited")["Stacks"][0]["RoleARN"] == role


def test_the_caller_is_bound_to_one_service_role(server: Any, model_role: str) -> None:
    """`cloudformation:RoleArn` as a condition, and `iam:PassRole`, are asked of whoever updates a stack."""
    _serving(server, "bound", model_role)
    role = server.role("bound-release", "cloudformation.amazonaws.com", {"Action": "*", "Resource": "*"})
    other = server.role("bound-other", "cloudformation.amazonaws.com", {"Action": "*", "Resource": "*"})
    update = {
        "Action": "cloudformation:UpdateStack",
        "Resource": "*",
        "Condition": {"StringEquals": {"cloudformation:RoleArn": role}},
    }
    caller = server.role("bound-caller", f"arn:aws:iam::{ACCOUNT}:root", update)
    client = server.as_role("cloudformation", caller)
    for options, named in (({}, "UpdateStack"), ({"RoleARN": other}, "UpdateStack"), ({"RoleARN": role}, "PassRole")):
        with pytest.raises(ClientError, match=named):
            _release(server, client, "bound", "one", **options)
    server.grant("bound-caller", update, {"Action": "iam:PassRole", "Resource": role})
    assert _release(server, server.as_role("cloudformation", caller), "bound", "one", RoleARN=role) == "UPDATE_COMPLETE"


def test_a_bucket_keeps_its_tags_and_refuses_to_die_full(server: Any) -> None:
    """The template's tags are in effect; a bucket with objects fails the delete."""
    properties = {"BucketName": "propertied", "Tags": [{"Key": "a", "Value": "b"}]}
    template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}}}
    assert _create(server, "bucket", template) == "CREATE_COMPLETE"
    s3, cloudformation = server.client("s3"), server.client("cloudformation")
    assert {"Key": "a", "Value": "b"} in s3.get_bucket_tagging(Bucket="propertied")["TagSet"]
    s3.put_object(Bucket="propertied", Key="k", Body=b"x")
    cloudformation.delete_stack(StackName="bucket")
    assert server.settled("bucket") == "DELETE_FAILED"
    assert "not empty" in _reasons(server, "bucket")


def test_preflight_finds_what_no_stack_of_the_environment_owns(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log group that was left behind is told; the stack's own, and roles of other environments, are not."""
    keys = {name: server.keys[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
    deployment = Deployment("local", boto3.Session(region_name=server.keys["region"], **keys), server.url)
    monkeypatch.setattr(preflight, "connect", lambda env: deployment)
    names = {one: f"/aws/lambda/text-classifier-local-{one}" for one in ("own", "left")}
    own = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": names["own"]}}
    assert _create(server, "text-classifier-local-api", {"Resources": {"Log": own}}) == "CREATE_COMPLETE"
    server.client("logs").create_log_group(logGroupName=names["left"])
    server.role("text-classifier-local2-launch", "lambda.amazonaws.com")
    server.role("text-classifier-local-launch-eu-west-1", "lambda.amazonaws.com")
    answer = preflight.preflight(argparse.Namespace(env="local"))
    found = {one["check"]: one for one in answer.document}
    assert found["names"]["found"] == f"taken: AWS::Logs::LogGroup {names['left']}"
    assert answer.exit_code == 1 and f"Next step for names: {found['names']['next_step']}" in answer.text


def test_the_gateway_refuses_a_bad_body_with_its_own_headers(server: Any) -> None:
    """A request validator of a template refuses the body; the gateway response's type and CORS come through."""
    api = {"Ref": "Api"}
    answer = {
        "RestApiId": api,
        "ResponseType": "BAD_REQUEST_BODY",
        "ResponseParameters": {
            "gatewayresponse.header.Content-Type": "'application/problem+json'",
            "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
        },
        "ResponseTemplates": {"application/json": '{"detail": $context.error.messageString}'},
    }
    schema = {"type": "object", "required": ["inputs"]}
    method = {
        "RestApiId": api,
        "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
        "HttpMethod": "POST",
        "AuthorizationType": "NONE",
        "RequestValidatorId": {"Ref": "Validator"},
        "RequestModels": {"application/json": {"Ref": "Body"}},
        "Integration": {"Type": "MOCK", "RequestTemplates": {"application/json": '{"statusCode": 200}'}},
    }
    gateway = "AWS::ApiGateway::"
    resources = {
        "Api": {"Type": f"{gateway}RestApi", "Properties": {"Name": "explain"}},
        "Body": {
            "Type": f"{gateway}Model",
            "Properties": {"RestApiId": api, "Name": "Body", "Schema": schema, "ContentType": "application/json"},
        },
        "Validator": {
            "Type": f"{gateway}RequestValidator",
            "Properties": {"RestApiId": api, "Name": "V", "ValidateRequestBody": True},
        },
        "BadBody": {"Type": f"{gateway}GatewayResponse", "Properties": answer},
        "Method": {"Type": f"{gateway}Method", "Properties": method},
        "Deployment": {
            "Type": f"{gateway}Deployment",
            "DependsOn": ["Method", "BadBody"],
            "Properties": {"RestApiId": api, "StageName": "live"},
        },
    }
    template = {"Resources": resources, "Outputs": {"Id": {"Value": api}}}
    assert _create(server, "explain", template) == "CREATE_COMPLETE"
    stack = server.client("cloudformation").describe_stacks(StackName="explain")["Stacks"][0]
    url = f"{server.url}/restapis/{stack['Outputs'][0]['OutputValue']}/live/_user_request_/"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(url, data=b"{}", headers={"content-type": "application/json"}))
    assert refused.value.code == 400
    assert refused.value.headers["content-type"] == "application/problem+json"
    assert refused.value.headers["access-control-allow-origin"] == "*"
    assert json.load(refused.value)["detail"] == "Invalid request body"


def test_the_network_of_isolated_training_comes_and_goes(server: Any) -> None:
    """CDK's template of the network is accepted as it is, with two subnets in two zones, and leaves nothing behind."""
    from aws_cdk import App, Stack

    app = App(analytics_reporting=False)
    stack = Stack(app, "isolated")
    IsolatedNetwork(stack, reachable=[list_below(f"arn:aws:s3:::{BUCKET}", "data/")])
    template = app.synth().get_stack_by_name("isolated").template
    network = {"Resources": {name: one for name, one in template["Resources"].items() if "EC2" in one["Type"]}}
    assert _create(server, "isolated", network) == "CREATE_COMPLETE", _reasons(server, "isolated")
    ec2 = server.client("ec2")
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.0.0.0/24"]}])["Vpcs"]
    inside = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    subnets = ec2.describe_subnets(Filters=inside)["Subnets"]
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == len(subnets) == 2
    (endpoint,) = ec2.describe_vpc_endpoints(Filters=inside)["VpcEndpoints"]
    assert endpoint["ServiceName"] == "com.amazonaws.us-east-1.s3"
    stack_id = server.client("cloudformation").describe_stacks(StackName="isolated")["Stacks"][0]["StackId"]
    server.client("cloudformation").delete_stack(StackName="isolated")
    assert server.settled(stack_id) == "DELETE_COMPLETE"
    assert not ec2.describe_subnets(Filters=inside)["Subnets"]
