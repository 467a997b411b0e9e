"""The product's serving template and release role on the local cloud: names that change with what they hold."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aws_cdk import App, DefaultStackSynthesizer, Stack
from aws_cdk.assertions import Template
from botocore.exceptions import ClientError

from local_project import ROOT
from stacks.common.names import Names
from stacks.config.environment import Config, load_config
from stacks.release.endpoint_role import release_role
from stacks.serving.stack import ServingStack
from tiny_serving import artifact
from waiting import until

pytestmark = pytest.mark.integration

ACCOUNT, BUCKET, PREFIX = "000000000000", "served", "text-classifier-local"
STACK = f"{PREFIX}-serving"
GOOD, BETTER, BAD = 1, 2, 3


def configuration(**values: object) -> Config:
    """The local environment with other values."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    return load_config({**context, "env": "local", **values}.get, {"CDK_DEFAULT_ACCOUNT": ACCOUNT})


def today(**values: object) -> dict[str, Any]:
    """The serving stack's template."""
    stack = ServingStack(App(analytics_reporting=False), config=configuration(**values))
    template: dict[str, Any] = Template.from_stack(stack).to_json()
    return template


def yesterday() -> dict[str, Any]:
    """The template of a version whose models and endpoint configs CloudFormation named."""
    template = today()
    for resource in template["Resources"].values():
        for name in ("ModelName", "EndpointConfigName") if resource["Type"] != "AWS::SageMaker::Endpoint" else ():
            resource.get("Properties", {}).pop(name, None)
    return template


def package(version: int) -> str:
    return f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package/{PREFIX}/{version}"


class Served:
    """The serving stack on a local cloud; releases are made as the release workflow makes them."""

    def __init__(self, server: Any) -> None:
        self.server, self.cloudformation, self.sagemaker = server, *map(server.client, ("cloudformation", "sagemaker"))

    def update(self, version: int, **how: Any) -> str:
        """Update the stack to a package and return the status at the end."""
        given = [{"ParameterKey": "ModelPackageArn", "ParameterValue": package(version)}]
        self.cloudformation.update_stack(StackName=STACK, Parameters=given, **how)
        return self.server.settled(STACK)

    def release(self, version: int) -> str:
        """Change the one parameter under the release role."""
        role = f"arn:aws:iam::{ACCOUNT}:role/{PREFIX}-release"
        return self.update(version, UsePreviousTemplate=True, RoleARN=role)

    def answer(self) -> str:
        """The version that answers."""
        runtime = self.server.client("sagemaker-runtime")
        body = runtime.invoke_endpoint(EndpointName=PREFIX, Body=b"x", ContentType="text/plain")["Body"]
        return str(body.read().decode())

    def names(self) -> tuple[list[str], list[str]]:
        """All models and endpoint configs there are."""
        models, configs = self.sagemaker.list_models()["Models"], self.sagemaker.list_endpoint_configs()
        return [one["ModelName"] for one in models], [one["EndpointConfigName"] for one in configs["EndpointConfigs"]]

    def reasons(self) -> str:
        """Why resources failed, the newest first."""
        events = self.cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
        return " ".join(e.get("ResourceStatusReason", "") for e in events if e["ResourceStatus"].endswith("FAILED"))

    @contextmanager
    def asked(self) -> Iterator[list[str]]:
        """Ask all the time; what was answered, refusals among them."""
        answers: list[str] = []
        over = threading.Event()

        def ask() -> None:
            while not over.is_set():
                try:
                    answers.append(self.answer())
                except ClientError as error:
                    answers.append(str(error))

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            yield answers
        finally:
            over.set()
            asking.join()


@pytest.fixture(scope="module")
def cloud(server: Any) -> Any:
    """Two good packages and a broken one, the model's role, and the product's own release role."""
    s3, sagemaker = server.client("s3"), server.client("sagemaker")
    s3.create_bucket(Bucket=BUCKET)
    sagemaker.create_model_package_group(ModelPackageGroupName=PREFIX)
    for version in (GOOD, BETTER, BAD):
        key = f"{version}/model.tar.gz"
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"nonsense" if version == BAD else artifact())
        container = {"Image": "tiny-serving:1", "ModelDataUrl": f"s3://{BUCKET}/{key}"}
        specification = {
            "Containers": [container],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        }
        made = sagemaker.create_model_package(
            ModelPackageGroupName=PREFIX, InferenceSpecification=specification, ModelApprovalStatus="Approved"
        )
        assert made["ModelPackageArn"] == package(version)
    everything = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    server.role(f"{PREFIX}-model", "sagemaker.amazonaws.com", {"Action": "s3:*", "Resource": everything})
    bare = DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
    stack = Stack(App(analytics_reporting=False), "Release", synthesizer=bare)
    release_role(stack, names=Names(stack, configuration()), serving=configuration().serving)
    template = json.dumps(Template.from_stack(stack).to_json())
    server.client("cloudformation").create_stack(
        StackName="release", TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    assert server.settled("release") == "CREATE_COMPLETE"
    return server


@pytest.fixture
def served(cloud: Any) -> Iterator[Served]:
    """The first package in service under yesterday's template; gone after the test."""
    made = Served(cloud)
    given = [{"ParameterKey": "ModelPackageArn", "ParameterValue": package(GOOD)}]
    made.cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(yesterday()), Parameters=given)
    assert cloud.settled(STACK) == "CREATE_COMPLETE"
    yield made
    made.cloudformation.update_stack(
        StackName=STACK,
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "ModelPackageArn", "ParameterValue": "none"}],
    )
    cloud.settled(STACK)
    made.cloudformation.delete_stack(StackName=STACK)
    until(lambda: made.names() == ([], []), 60)


def test_an_upgrade_renames_without_a_gap(served: Served) -> None:
    """Over yesterday's stack with a model in service: model and config are replaced once, every request is answered."""
    (old_model,), _ = served.names()
    assert not old_model.startswith(f"{PREFIX}--")
    with served.asked() as answers:
        assert served.update(GOOD, TemplateBody=json.dumps(today())) == "UPDATE_COMPLETE"
    (model,), (config,) = served.names()
    assert model.startswith(f"{PREFIX}--{GOOD}-") and config.startswith(f"{PREFIX}--{GOOD}-")
    assert set(answers) == {str(GOOD)}
    with pytest.raises(ClientError, match="No updates are to be performed"):
        served.update(GOOD, TemplateBody=json.dumps(today()))


def test_there_and_back_again_under_the_release_role(served: Served) -> None:
    """A → B → A: each release makes what it needs with its exact rights, the second A has the first one's names."""
    served.update(GOOD, TemplateBody=json.dumps(today()))
    first = served.names()
    with served.asked() as answers:
        assert served.release(BETTER) == "UPDATE_COMPLETE", served.reasons()
        assert served.answer() == str(BETTER)
        between = served.names()
        assert served.release(GOOD) == "UPDATE_COMPLETE", served.reasons()
    assert served.answer() == str(GOOD)
    assert set(answers) == {str(GOOD), str(BETTER)}
    assert served.names() == first
    assert [len(names) for names in between] == [1, 1] and not {*first[0], *first[1]} & {*between[0], *between[1]}


def test_a_failed_release_leaves_the_name_free(served: Served) -> None:
    """The broken package is rolled back, the champion answers all along, and a second attempt fails alike."""
    served.update(GOOD, TemplateBody=json.dumps(today()))
    before = served.names()
    with served.asked() as answers:
        for _ in range(2):
            assert served.release(BAD) == "UPDATE_ROLLBACK_COMPLETE"
            assert "model.tar.gz" in served.reasons()
            assert served.names() == before
    assert set(answers) == {str(GOOD)}
    assert "already existing" not in served.reasons()
    assert served.release(BETTER) == "UPDATE_COMPLETE"


def test_a_changed_setting_makes_another_config_of_the_same_model(served: Served) -> None:
    """More memory replaces the endpoint config alone; the model keeps its name, and every request is answered."""
    served.update(GOOD, TemplateBody=json.dumps(today()))
    models, configs = served.names()
    with served.asked() as answers:
        larger = json.dumps(today(**{"serving.memory_mb": 4096}))
        assert served.update(GOOD, TemplateBody=larger) == "UPDATE_COMPLETE"
    assert served.names()[0] == models
    assert served.names()[1] != configs and len(served.names()[1]) == 1
    assert set(answers) == {str(GOOD)}


def test_a_name_that_is_taken_is_told_and_mended(served: Served) -> None:
    """A leftover under the name fails the release with its name; the champion serves, and without it all is well."""
    served.update(GOOD, TemplateBody=json.dumps(today()))
    served.release(BETTER)
    (taken,), _ = served.names()
    served.release(GOOD)
    container = {"Image": "tiny-serving:1", "ModelDataUrl": f"s3://{BUCKET}/1/model.tar.gz"}
    role = f"arn:aws:iam::{ACCOUNT}:role/{PREFIX}-model"
    served.sagemaker.create_model(ModelName=taken, PrimaryContainer=container, ExecutionRoleArn=role)
    assert served.release(BETTER) == "UPDATE_ROLLBACK_COMPLETE"
    assert "already existing" in served.reasons() and taken in served.reasons()
    assert served.answer() == str(GOOD)
    served.sagemaker.delete_model(ModelName=taken)
    assert served.release(BETTER) == "UPDATE_COMPLETE"
