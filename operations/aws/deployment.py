"""One environment as its stacks describe it: clients with the right endpoint and credentials, and stack outputs."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from operations import paths
from operations.errors import OperationError

if TYPE_CHECKING:
    from text_classifier import Client

PROJECT = "text-classifier"
LOCAL_ENV = "local"
# Each after what it needs; the roles of GitHub, by which somebody may be deploying, go last.
STACKS = ("delivery", "storage", "image", "training", "serving", "release", "api", "monitoring")
CONNECT_SECONDS = 0.5
MODEL_SECONDS = (2.0, 5.0)  # to connect to the API, and to wait for the model


@dataclass(frozen=True)
class Deployment:
    """Access to one deployed environment of cdk.json; `endpoint_url` is the local cloud's, or None on AWS."""

    env: str
    session: boto3.Session
    endpoint_url: str | None
    _clients: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def client(self, service: str) -> Any:
        """Return the boto3 client for `service` in this environment."""
        if service not in self._clients:
            # Path-style: bucket names as host names do not resolve on a laptop.
            config = Config(s3={"addressing_style": "path"}) if self.endpoint_url else None
            self._clients[service] = self.session.client(service, endpoint_url=self.endpoint_url, config=config)
        return self._clients[service]

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables with which other programs reach this environment; none on AWS, where they have them."""
        if self.endpoint_url is None:
            return {}
        credentials = self.session.get_credentials()
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "AWS_REGION": self.session.region_name,
            "AWS_DEFAULT_REGION": self.session.region_name,
        }

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Outputs of all stacks of this environment that exist, by output name."""
        return {
            output["OutputKey"]: output["OutputValue"]
            for stack in self.existing_stacks()
            for output in stack.get("Outputs", [])
        }

    def output(self, name: str) -> str:
        """Return the value of an output of any stack; an error says where to deploy if none has it."""
        if name not in self.outputs:
            raise OperationError(
                f"Environment '{self.env}' has no output {name}: it is not deployed.",
                hint="make up" if self.env == LOCAL_ENV else f"cdk deploy --all -c env={self.env}",
            )
        return self.outputs[name]

    def existing_stacks(self) -> list[dict[str, Any]]:
        """Return the descriptions of all stacks of this environment that exist, each after those that it needs."""
        return [stack for part in STACKS if (stack := self.stack(part))]

    def stack(self, part: str) -> dict[str, Any] | None:
        """Return the description of one stack, or None where it does not exist."""
        try:
            found = self.client("cloudformation").describe_stacks(StackName=f"{PROJECT}-{self.env}-{part}")
        except ClientError as error:
            if "does not exist" in error.response["Error"].get("Message", ""):
                return None
            raise
        return cast(dict[str, Any], found["Stacks"][0])

    @property
    def released_package(self) -> str:
        """ARN of the champion: the serving stack's parameter. Empty where no package was released."""
        parameters = (self.stack("serving") or {}).get("Parameters", [])
        values: dict[str, str] = {p["ParameterKey"]: p["ParameterValue"] for p in parameters}
        return values.get("ModelPackageArn", "").removeprefix("none")  # "none" while a release makes the endpoint anew

    @property
    def model_version(self) -> str | None:
        """Version number of the champion's model package, as the API answers it; None without one."""
        return self.released_package.rsplit("/", 1)[-1] or None

    @property
    def api_url(self) -> str | None:
        """Base URL of the REST API, without `/v1` and without a final slash; None before it is deployed."""
        url = self.outputs.get("ApiUrl")
        if url is None or self.endpoint_url is None:
            return url and url.rstrip("/")
        # The name in the output resolves on AWS only. The local cloud serves every REST API below its own address.
        host, stage = url.removeprefix("https://").rstrip("/").split("/", 1)
        return f"{self.endpoint_url}/restapis/{host.split('.', 1)[0]}/{stage}/_user_request_"

    @cached_property
    def api_key(self) -> str | None:
        """Value of the API key, or None where the configuration asks for none."""
        key_id = self.outputs.get("ApiKeyId")
        return self.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"] if key_id else None

    def api_client(self, **options: Any) -> Client:
        """Return the product's own client for the REST API; `options` are those of `Client`."""
        from text_classifier import Client

        return Client(self.api_url or self.output("ApiUrl"), api_key=self.api_key, **options)

    def ask_model(self) -> tuple[str | None, str]:
        """Ask the model once, for a short time: the version that answers, or None, and the same in words."""
        from text_classifier import ApiError

        try:
            with self.api_client(timeout=MODEL_SECONDS) as client:
                version = str(client.health(deep=True)["model"]["version"])
        except (ApiError, OperationError) as error:
            return None, f"does not answer: {error}"
        return version, f"version {version} answers"


def connect(env: str) -> Deployment:
    """Connect to an environment: the local cloud for `local`, otherwise AWS with the credentials boto3 finds."""
    if env != LOCAL_ENV:
        return Deployment(env, boto3.Session(), None)
    not_running = OperationError("The local cloud does not run.", hint="make up")
    if not paths.CREDENTIALS.exists():
        raise not_running
    access = json.loads(paths.CREDENTIALS.read_text(encoding="utf-8"))
    address = urlsplit(access["endpoint_url"])
    # boto3 would try for many seconds before it said so.
    try:
        socket.create_connection((address.hostname, address.port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise not_running from error
    keys = {name: access[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
    return Deployment(env, boto3.Session(region_name=access["region"], **keys), access["endpoint_url"])
