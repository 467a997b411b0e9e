"""One environment as its stacks describe it: clients with the right endpoint and credentials, and stack outputs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from operations import paths
from operations.errors import LocalCloudError, NotDeployed

PROJECT = "text-classifier"
LOCAL_ENV = "local"
STACKS = ("storage", "training", "serving", "release", "api", "monitoring")


def stack_name(env: str, part: str) -> str:
    """Name of one of the product's stacks, as app.py gives it."""
    return f"{PROJECT}-{env}-{part}"


@dataclass(frozen=True)
class Deployment:
    """Access to one deployed environment.

    Attributes:
        env: name of the environment in cdk.json.
        session: boto3 session with the environment's credentials and region.
        endpoint_url: the local cloud's URL, or None on AWS.
    """

    env: str
    session: boto3.Session
    endpoint_url: str | None

    def client(self, service: str) -> Any:
        """A boto3 client for `service` in this environment."""
        # Path-style: bucket names as host names do not resolve on a laptop.
        config = Config(s3={"addressing_style": "path"}) if self.endpoint_url else None
        return self.session.client(service, endpoint_url=self.endpoint_url, config=config)

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Outputs of all stacks of this environment that exist, by output name."""
        found: dict[str, str] = {}
        for part in STACKS:
            for output in (self.stack(part) or {}).get("Outputs", []):
                found[output["OutputKey"]] = output["OutputValue"]
        return found

    def output(self, name: str) -> str:
        """One output's value.

        Raises:
            NotDeployed: no stack of this environment has that output.
        """
        if name not in self.outputs:
            next_step = "make up" if self.env == LOCAL_ENV else f"cdk deploy --all -c env={self.env}"
            raise NotDeployed(f"Environment '{self.env}' has no output {name}: it is not deployed.", hint=next_step)
        return self.outputs[name]

    def stack(self, part: str) -> dict[str, Any] | None:
        """The description of one stack, or None where it does not exist."""
        try:
            return self.client("cloudformation").describe_stacks(StackName=stack_name(self.env, part))["Stacks"][0]
        except ClientError as error:
            if "does not exist" in error.response["Error"].get("Message", ""):
                return None
            raise

    @property
    def released_package(self) -> str:
        """ARN of the champion: the serving stack's parameter. Empty where no package was released."""
        parameters = (self.stack("serving") or {}).get("Parameters", [])
        return next((p["ParameterValue"] for p in parameters if p["ParameterKey"] == "ModelPackageArn"), "")

    @property
    def model_version(self) -> str | None:
        """Version number of the champion's model package, as the API answers it; None without one."""
        return self.released_package.rsplit("/", 1)[-1] or None

    @property
    def api_url(self) -> str | None:
        """Base URL of the REST API, without `/v1` and without a final slash; None before it is deployed."""
        url = self.outputs.get("ApiUrl")
        if url is None:
            return None
        if self.endpoint_url is None:
            return url.rstrip("/")
        # The name in the output resolves on AWS only. The local cloud serves every REST API below its own address.
        host, stage = url.removeprefix("https://").rstrip("/").split("/", 1)
        return f"{self.endpoint_url}/restapis/{host.split('.', 1)[0]}/{stage}/_user_request_"

    @property
    def api_key(self) -> str | None:
        """Value of the API key, or None where the configuration asks for none."""
        key_id = self.outputs.get("ApiKeyId")
        return self.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"] if key_id else None


def connect(env: str) -> Deployment:
    """Connect to an environment: the local cloud for `local`, otherwise AWS with the credentials boto3 finds.

    Raises:
        LocalCloudError: the local cloud was never started.
    """
    if env != LOCAL_ENV:
        return Deployment(env, boto3.Session(), None)
    if not paths.CREDENTIALS.exists():
        raise LocalCloudError("The local cloud is not there.", hint="make up")
    access = json.loads(paths.CREDENTIALS.read_text(encoding="utf-8"))
    session = boto3.Session(
        aws_access_key_id=access["aws_access_key_id"],
        region_name=access["region"],
        aws_secret_access_key=access["aws_secret_access_key"],
    )
    return Deployment(env, session, access["endpoint_url"])
